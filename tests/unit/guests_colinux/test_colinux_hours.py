# SPDX-License-Identifier: GPL-3.0-or-later
"""Hours of guests without an agent: the plan against the calendar it is made of, and desktops that keep it.

schtasks is the lab's own stand-in; Windows 2000's `at` is played here, after its documentation.
"""

from __future__ import annotations

import importlib
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from hypothesis import given
from hypothesis import strategies as st

from eyrie.agent.idle.calendar import Window
from eyrie.errors import EyrieError
from eyrie.guests.colinux import hours
from eyrie.guests.colinux.hours import DAY, WEEK, Hours
from eyrie.lab.windows.programs import schtasks
from eyrie.windows.quoting import CMD_LENGTH

COLLECTIONS = Path(__file__).parents[3] / ".collections"
OFFICE = Window(frozenset(range(5)), 7 * 60, 19 * 60)
GIVEN = {"busy_windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "07:00", "to": "19:00"}]}
XP, OLD, SEVEN = "5.1.2600", "5.00.2195", "6.1.7601"


def test_the_guest_runs_at_night_and_at_the_weekend() -> None:
    plan = hours.hours([OFFICE], "EyrieGuest", 5, 10)
    assert [str(task) for task in plan.tasks] == [
        "start EyrieGuest mon,tue,wed,thu,fri 19:00",
        "stop EyrieGuest mon,tue,wed,thu,fri 06:55",
    ]
    assert plan.cron == ("45 6 * * 1,2,3,4,5",)


def test_a_lead_that_goes_over_midnight_is_the_day_before() -> None:
    plan = hours.hours([Window(frozenset({0, 6}), 0, 60)], "g", 5, 0)
    assert [str(task) for task in plan.tasks] == ["start g mon,sun 01:00", "stop g sat,sun 23:55"]
    assert plan.cron == ("55 23 * * 0,6",)


NIGHT, MORNING, DAY_TIME = (datetime(2026, 11, 23, hour, 50, tzinfo=UTC) for hour in (3, 6, 12))  # a Monday


@pytest.mark.parametrize(
    ("running", "busy", "bias", "now", "wanted"),
    [
        (True, [OFFICE], 0, NIGHT, True),
        (True, [OFFICE], 0, DAY_TIME, None),
        (True, [OFFICE], 0, MORNING, None),  # it would be stopped again in a moment
        (True, [OFFICE], -60, DAY_TIME - timedelta(hours=7), None),  # Berlin: 06:50
        (True, [OFFICE], 0, DAY_TIME - timedelta(hours=7), True),  # London, at the same moment: 05:50
        (True, [OFFICE], 480, DAY_TIME, True),  # Seattle: 04:50
        (True, [OFFICE], -720, datetime(2026, 11, 22, 20, tzinfo=UTC), None),  # Auckland: Monday 08:00
        (True, [OFFICE], None, NIGHT, None),  # not known means busy
        (True, [], None, DAY_TIME, True),
        (False, [OFFICE], 0, NIGHT, False),
    ],
)
def test_a_converge_starts_a_guest_in_its_hours_alone(
    running: bool, busy: list[Window], bias: int | None, now: datetime, wanted: bool | None
) -> None:
    assert hours.running_now(running, busy, 10, bias, now) is wanted


@given(st.integers(0, WEEK - 1), st.integers(0, 40))
def test_what_a_converge_starts_is_what_the_scheduler_has_running(minute: int, lead: int) -> None:
    plan = hours.hours([OFFICE], "g", lead, 0)
    events = {day * DAY + task.minute: task.verb for task in plan.tasks for day in task.days}
    last = next(events[(minute - ago) % WEEK] for ago in range(WEEK) if (minute - ago) % WEEK in events)
    now = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(minutes=minute)
    assert (hours.running_now(True, [OFFICE], lead, 0, now) is True) == (last == "start")


WINDOWS = st.lists(
    st.builds(
        Window,
        st.frozensets(st.integers(0, 6), min_size=1),
        st.integers(0, 23).map(lambda hour: hour * 60),
        st.integers(0, 23).map(lambda hour: hour * 60 + 30),
    ),
    max_size=4,
)


@given(WINDOWS, st.integers(0, 40), st.integers(0, 40))
def test_the_guest_is_off_in_every_busy_minute_and_on_in_all_others(
    busy: list[Window], stop: int, drain: int
) -> None:
    """Played minute by minute for a week, but for the minutes before the owner's hours."""
    try:
        plan = hours.hours(busy, "g", stop, drain)
    except EyrieError as error:
        assert "busy_windows" in str(error) or "in which it is drained" in str(error)
        return
    events = {day * DAY + task.minute: task.verb for task in plan.tasks for day in task.days}
    assert len(events) == sum(len(task.days) for task in plan.tasks)
    runs = False
    week = []
    for minute in range(2 * WEEK):  # the first one finds out how the second begins
        runs = {"start": True, "stop": False}.get(events.get(minute % WEEK, ""), runs)
        week.append(runs)
    owners = [any(window.covers(*divmod(minute, DAY)) for window in busy) for minute in range(WEEK)]
    for minute in range(WEEK):
        soon = any(owners[(minute + lead) % WEEK] for lead in range(stop + 1))
        assert week[WEEK + minute] == (not soon), minute


REFUSED = {
    "no hours": ([], "g", 5, "found 'none'"),
    "the whole week": ([Window(frozenset(range(7)), 0, 0)], "g", 5, "found 'the whole week'"),
    "too short a pause": (
        [Window(frozenset({0}), 0, 600), Window(frozenset({0}), 605, 700)],
        "g",
        5,
        "the guest's hours from mon 10:00: found '5 minutes'",
    ),
    "a service of two words": ([OFFICE], "my guest", 5, "a name of one word"),
    "a service that is a command": ([OFFICE], "g&reboot", 5, "a name of one word"),
}


@pytest.mark.parametrize(("busy", "service", "lead", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_plan_is_refused(busy: list[Window], service: str, lead: int, told: str) -> None:
    with pytest.raises(EyrieError) as refused:
        hours.hours(busy, service, lead, lead)
    assert told in str(refused.value)


class Desktop:
    """Runs our lines; `foreign` are tasks that are none of ours."""

    def __init__(self, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.version = version
        self.kept: dict[str, Any] = {
            "tasks": {"GoogleUpdate": {"run": "x", "user": "", "result": 0, "pid": 0}}
        }
        self.jobs: dict[int, str] = {3: "Each M  1:00 AM  defrag c:"}
        self.lines: list[str] = []
        self.said: list[str] = []
        self.broken = False
        monkeypatch.setattr(schtasks, "load", lambda name, default: self.kept.get(name, default))
        monkeypatch.setattr(schtasks, "store", self.kept.__setitem__)
        monkeypatch.setattr(schtasks, "say", lambda text="": self.said.append(text))

    def exec_command(
        self, line: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        assert len(line) < CMD_LENGTH
        self.lines.append(line)
        out = "".join(self._run(part.strip()) for part in line.split("&"))
        return 0, out.encode(), b"Access is denied." if self.broken else b""

    def _run(self, part: str) -> str:
        quiet = part.endswith(">nul") and not part.endswith("2>nul")
        words = shlex.split(re.sub(r"\s*2?>nul$", "", part), posix=True)
        self.said = []
        name, given = words[0], words[1:]
        if name == "ver":
            self.said.append(f"\r\nMicrosoft Windows [Version {self.version}]")
        elif name == "echo":
            self.said.append(" ".join(given))
        elif name == "schtasks" and self.version != OLD:
            if not (self.broken and given[0] != "/query"):
                assert schtasks.main(given) == 0, self.said
        elif name == "at" and self.version == OLD:
            self._at(given)
        return "" if quiet else "".join(f"{text}\r\n" for text in self.said)

    def _at(self, given: list[str]) -> None:
        if not given:
            self.said.append("Status ID   Day                     Time          Command Line")
            self.said += [f"        {number}   {job}" for number, job in self.jobs.items()]
        elif given[1:] == ["/delete"]:
            del self.jobs[int(given[0])]
        else:
            assert re.fullmatch(r"\d\d:\d\d", given[0]) and re.fullmatch(
                r"/every:(M|T|W|Th|F|S|Su|,)+", given[1]
            )
            days = given[1].removeprefix("/every:").replace(",", " ")
            self.jobs[max(self.jobs) + 1] = f"Each {days}  {given[0]}  {' '.join(given[2:])}"

    def ours(self) -> list[str]:
        return [name for name in self.kept["tasks"] if name.startswith("eyrie")] + [
            job for job in self.jobs.values() if "eyrie" in job
        ]


def action(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch, check: bool = False, **given: Any
) -> dict[str, Any]:
    monkeypatch.syspath_prepend(str(COLLECTIONS))
    module = importlib.import_module("ansible_collections.eyrie.pool.plugins.action.colinux_hours")
    task = SimpleNamespace(
        args=given or GIVEN, check_mode=check, async_val=0, diff=True, action="colinux_hours"
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), exec_command=desktop.exec_command)
    templar = SimpleNamespace(template=lambda value: value)
    result: dict[str, Any] = module.ActionModule(task, connection, None, None, templar, None).run(
        None, {"inventory_hostname": "desk-1"}
    )
    return result


linked = pytest.mark.skipif(not COLLECTIONS.exists(), reason="the checkout is not linked as a collection")


@linked
@pytest.mark.parametrize("version", [XP, OLD, SEVEN])
def test_one_round_trip_to_read_and_one_to_write(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desktop = Desktop(version, monkeypatch)
    looked = action(desktop, monkeypatch, check=True)
    assert (looked["changed"], looked["round_trips"], desktop.ours()) == (True, 1, [])
    made = action(desktop, monkeypatch)
    assert (made["changed"], made["round_trips"], len(desktop.ours())) == (True, 2, 2)
    assert made["diff"]["after"] == looked["diff"]["after"]
    assert made["colinux_hours"]["drain_cron"] == ["50 6 * * 1,2,3,4,5"]
    again = action(desktop, monkeypatch)
    assert (again["changed"], again["round_trips"], "diff" in again) == (False, 1, False)
    other = action(desktop, monkeypatch, **GIVEN, stop_minutes=15)
    assert (other["changed"], len(desktop.ours())) == (True, 2)
    gone = action(desktop, monkeypatch, state="absent")
    assert (gone["changed"], gone["round_trips"], desktop.ours()) == (True, 2, [])
    assert not action(desktop, monkeypatch, state="absent")["changed"]
    assert list(desktop.kept["tasks"]) == ["GoogleUpdate"] and list(desktop.jobs) == [3], (
        "the owner's own stay"
    )


@linked
def test_commands_are_those_of_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        v: action(Desktop(v, monkeypatch), monkeypatch, check=True)["diff"]["after"] for v in (XP, OLD, SEVEN)
    }
    assert "/sc weekly /d" in told[XP] and "/st 19:00:00 /ru SYSTEM" in told[XP].replace('"', "")
    assert "/st 19:00 /ru SYSTEM" in told[SEVEN].replace('"', "")
    run = r"cmd /c if not exist eyrie-hours-start-[0-9a-f]{8} net start EyrieGuest"
    assert re.search(rf"^at 19:00 /every:M,T,W,Th,F {run}$", told[OLD], re.MULTILINE)
    for text in told.values():
        assert text.index("net stop") < text.index("net start"), "who stops comes first"


@linked
def test_a_scheduler_that_does_not_take_them_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    desktop = Desktop(XP, monkeypatch)
    desktop.broken = True
    with pytest.raises(
        AnsibleActionFail, match=r"desk-1: found 'Access is denied.*net stop EyrieGuest.*Schedule"
    ):
        action(desktop, monkeypatch)


@linked
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"busy_windows": []}, "busy_windows: found 'none'"),
        ({"busy_windows": [{"days": ["mon"], "from": "7:00", "to": "19:00"}]}, "HH:MM, such as 07:00"),
        ({"busy_windows": [{"days": ["mon"], "from": "07:00", "to": "24:00"}]}, "busy_windows: to"),
        ({**GIVEN, "stop_minutes": 241}, "stop_minutes: found 241"),
    ],
)
def test_bad_input_asks_no_desktop(given: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desktop = Desktop(XP, monkeypatch)
    with pytest.raises(AnsibleActionFail, match=re.escape(told)):
        action(desktop, monkeypatch, **given)
    assert desktop.lines == []


@pytest.mark.parametrize(
    "answer", ["", "Microsoft Windows [Version 5.1.2600]", "no\r\neyrie-tasks\r\neyrie-jobs"]
)
def test_an_answer_that_is_none_is_refused(answer: str) -> None:
    with pytest.raises(EyrieError, match="desktop d"):
        hours.parse(answer, "d")


def test_what_at_lists_is_read_in_any_language() -> None:
    (task, _) = hours.hours([OFFICE], "g", 5, 5).tasks
    row = f"cmd /c if not exist {task.name} net start g"
    answer = (
        "Microsoft Windows 2000 [versión 5.00.2195]\r\neyrie-tasks\r\neyrie-jobs\r\n"
        f"Estado Id.  Día\r\n-----\r\n        1   Cada L M       7:00 PM   {row}\r\n"
        f"Error  12   Cada L         07:00     {row.replace(task.name, 'eyrie-hours-stop-00000000')}\r\n"
        "        2   Cada L 1   x  eyrie-hours-start-1\r\n"
    )
    assert hours.parse(answer, "d").tasks == {task.name: "1", "eyrie-hours-stop-00000000": "12"}


def test_a_plan_that_is_there_needs_nothing() -> None:
    plan = hours.hours([OFFICE], "g", 5, 5)
    seen = hours.Seen((5, 1), {task.name: "" for task in plan.tasks})
    assert hours.lines(seen, plan.tasks) == ()
    assert len(hours.lines(seen, Hours((), ()).tasks)) == 2


@pytest.mark.parametrize("said", ["Microsoft Windows [Version 6.1.7601]", "Microsoft Windows 6.1.7601"])
def test_a_version_stands_in_brackets_or_as_wine_says_it(said: str) -> None:
    assert hours.parse(f"\r\n{said}\r\neyrie-tasks\r\neyrie-jobs\r\n", "d").version == (6, 1)
