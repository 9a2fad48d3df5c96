# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the agent for Windows that need no Windows: what its answers mean."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.agent.idle.base import Kind
from eyrie.agent.log import ERROR
from eyrie.agent.windows import input as session_input
from eyrie.agent.windows import purge, scm, security, watcher, wts
from eyrie.agent.windows.machine import Power
from eyrie.agent.windows.mailbox import Mailbox
from eyrie.agent.windows.records import BURST, REFILL_SECONDS, Allowance, LogFile

TICKS = st.integers(0, 2**32 - 1)


@given(TICKS, st.integers(0, 2**32 - session_input._BACKWARDS - 1))
def test_elapsed_ticks_do_not_care_where_the_counter_wraps(then: int, passed: int) -> None:
    assert session_input.elapsed((then + passed) % 2**32, then) == passed


@given(TICKS, st.integers(1, session_input._BACKWARDS - 1))
def test_an_input_from_the_near_future_is_an_input_of_now(now: int, ahead: int) -> None:
    assert session_input.elapsed(now, (now + ahead) % 2**32) == 0


@given(st.floats(0, 1e8), st.integers(0, 99))
def test_a_report_is_read_as_it_was_sent(idle: float, state: int) -> None:
    read = watcher.parse(watcher.Report(idle, state).line().rstrip(b"\n"))
    assert read is not None
    assert read.idle == pytest.approx(idle, abs=0.001)
    assert read.notification == state


@given(st.binary(max_size=80))
def test_nonsense_from_a_session_is_no_report(line: bytes) -> None:
    report = watcher.parse(line)
    assert report is None or (0 <= report.idle < 1e9 and 0 <= report.notification < 100)


@pytest.mark.parametrize(
    "line", [b"", b"nan 5", b"-1 5", b"inf 5", b"1", b"1 2 3", b"1 100", b"1 -1", b"x 1"]
)
def test_what_no_helper_says_is_refused(line: bytes) -> None:
    assert watcher.parse(line) is None


def test_the_helper_speaks_at_every_heartbeat_and_at_once_when_somebody_is_back() -> None:
    pace, beat = watcher.Pace(), watcher.HEARTBEAT
    looks = [quarter * beat / 4 for quarter in range(10)]
    assert [now / beat for now in looks if pace.due(now, 1000, 60 + now)] == [0, 1, 2]
    assert pace.due(2.5 * beat, 2000, 0.1)
    assert not pace.due(2.75 * beat, 2250, 0.0)  # typing on: the next heartbeat is soon enough
    assert pace.due(3.5 * beat, 3000, 0.0)


def test_the_helper_rests_while_no_guest_can_be_running() -> None:
    pace, beat = watcher.Pace(900.0), watcher.HEARTBEAT
    for idle, seconds in ((0.1, beat), (890.0, beat), (897.9, watcher.POLL), (5000.0, watcher.POLL)):
        assert pace.due(1000.0 + idle, int(idle), idle)
        assert pace.rest(1000.0 + idle) == pytest.approx(seconds), idle
    assert pace.due(7000.0, 9, 0.0), "who comes back is told at once"
    assert pace.rest(7000.5) == pytest.approx(beat - 0.5)


def info(level: int = 1, state: int = 0, flags: int = 1, user: str = "owner", gone: int = 0) -> bytes:
    """Return a WTSINFOEXW as Windows lays it out, with the counters behind what we read."""
    names = [text.encode("utf-16-le").ljust(2 * size, b"\0") for text, size in _names(user)]
    head = struct.pack("<IIIii", level, 0, 3, state, flags) + b"".join(names)
    head = head.ljust((len(head) + 7) // 8 * 8, b"\0")
    return head + struct.pack("<5q", 1, 2, gone, 0, 10**9) + struct.pack("<6I", *range(6))


def _names(user: str) -> list[tuple[str, int]]:
    return [("Console", 33), (user, 21), ("OFFICE", 18)]


def test_a_sessions_information_is_read_from_its_bytes() -> None:
    session = wts.parse(info(user="jürgen"), (10, 0))
    assert session == wts.Session(3, "active", "jürgen", "OFFICE", locked=False)
    gone = wts.parse(info(state=4, gone=10**9 - 5 * 10**7), (10, 0), remote=True)
    assert (gone.state, gone.disconnected_seconds, gone.remote) == ("disconnected", 5.0, True)


@pytest.mark.parametrize("gone", [0, -1, 10**9 + 1])
def test_a_moment_that_cannot_be_is_not_when_somebody_left(gone: int) -> None:
    assert wts.parse(info(state=4, gone=gone), (10, 0)).disconnected_seconds is None


@pytest.mark.parametrize("data", [b"", info()[:100], info(level=0), info(state=10), info(state=-1)])
def test_what_is_no_session_information_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="session"):
        wts.parse(data, (10, 0))


@pytest.mark.parametrize(
    ("flags", "version", "locked"),
    [
        (0, (10, 0), True),
        (1, (10, 0), False),
        (0, (6, 1), False),
        (1, (6, 1), True),
        (0, (6, 2), True),
        (-1, (10, 0), None),
        (-1, (6, 1), None),
    ],
)
def test_windows_7_says_locked_the_wrong_way_round(
    flags: int, version: tuple[int, int], locked: bool | None
) -> None:
    assert wts.is_locked(flags, version) is locked


@pytest.mark.parametrize(
    ("status", "kind", "seconds"),
    [
        ((1, 128), Kind.IDLE, math.inf),
        ((1, 8), Kind.IDLE, math.inf),
        ((255, 128), Kind.IDLE, math.inf),  # a desktop without a battery need not know
        ((0, 1), Kind.IDLE, 0.0),
        ((0, 128), Kind.IDLE, 0.0),
        ((255, 1), Kind.UNKNOWN, 0.0),
        ((255, 255), Kind.UNKNOWN, 0.0),
        ((7, 0), Kind.UNKNOWN, 0.0),
    ],
)
def test_on_battery_or_unknown_is_busy(status: tuple[int, int], kind: Kind, seconds: float) -> None:
    reading = Power(lambda: status).read(5.0)
    assert (reading.kind, reading.seconds) == (kind, seconds)


def test_power_that_cannot_be_asked_is_unknown() -> None:
    def broken() -> tuple[int, int]:
        raise OSError("no")

    assert Power(broken).read(5.0).kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("control", "event", "word"),
    [
        (scm.STOP, 0, "stop"),
        (scm.SHUTDOWN, 0, "shutdown"),
        (scm.PRESHUTDOWN, 0, "preshutdown"),
        (scm.PARAMCHANGE, 0, "reload"),
        (scm.POWEREVENT, 4, "suspend"),
        (scm.POWEREVENT, 0x12, "wake"),
        (scm.POWEREVENT, 7, "wake"),
        (scm.POWEREVENT, 0xA, "look"),
        (scm.SESSIONCHANGE, 5, "look"),
        (scm.INTERROGATE, 0, None),
        (99, 0, None),
    ],
)
def test_controls_become_words(control: int, event: int, word: str | None) -> None:
    assert scm.word(control, event) == word


def manager() -> tuple[scm.Manager, list[tuple[int, int, int, int]]]:
    told: list[tuple[int, int, int, int]] = []
    return scm.Manager(lambda *each: told.append(each)), told


def test_a_service_starts_runs_and_ends_in_the_managers_eyes() -> None:
    service, told = manager()
    service.alive(0.0)
    service.tell("READY=1")
    service.alive(1.0)
    assert service.control(scm.STOP, 0) == 0
    service.alive(2.0)
    service.alive(3.0)
    service.tell("READY=1")  # too late: it was told to stop
    service.ended(0)
    service.tell("STOPPING=1")
    states = [each[0] for each in told]
    pending = [scm.STOP_PENDING] * 3
    assert states == [scm.START_PENDING, scm.RUNNING, *pending, scm.STOPPED]
    checkpoints = [each[1] for each in told if each[0] == scm.STOP_PENDING]
    assert checkpoints == sorted(set(checkpoints))
    assert service.mail.take() == ["stop"]
    service.mail.close()


def test_controls_wake_the_loop_and_session_changes_are_kept() -> None:
    service, _ = manager()
    assert service.control(scm.SESSIONCHANGE, 8) == 0
    assert service.control(scm.POWEREVENT, 4) == 0
    assert service.control(scm.INTERROGATE, 0) == 0
    assert service.control(99, 0) == 120
    assert list(service.session_changes()) == [8]
    assert list(service.session_changes()) == []
    assert service.mail.take() == ["look", "suspend"]
    assert service.mail.take() == []
    service.mail.close()


def test_a_mailbox_takes_more_than_its_socket_holds() -> None:
    mail = Mailbox()
    for _ in range(5_000):
        mail.put("look")
    assert len(mail.take()) == 5_000
    mail.put("stop")
    assert mail.take() == ["stop"]
    mail.close()
    mail.put("too late")


def test_the_event_log_is_never_flooded() -> None:
    now = [0.0]
    allowance = Allowance(lambda: now[0])
    assert sum(allowance.take() for _ in range(1000)) == BURST
    now[0] += 2 * REFILL_SECONDS
    assert [allowance.take() for _ in range(3)] == [True, True, False]


def test_the_log_file_stays_within_its_size(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "agent.log", most=1000)
    for number in range(200):
        log(f"line {number}", ERROR)
    assert "line 199" in (tmp_path / "agent.log").read_text()
    assert "error: " in (tmp_path / "agent.1.log").read_text()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2200
    LogFile(tmp_path / "no" / "agent.log")("nobody hears this", ERROR)


class World:
    """A desktop's firewall as purge sees it; PLAYED."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rules: list[str], netsh_works: bool) -> None:
        from eyrie.guests.windows import firewall_system

        self.rules, self._netsh_works = rules, netsh_works
        monkeypatch.setattr(firewall_system, "read", self.read)
        monkeypatch.setattr(firewall_system, "apply", self.apply)

    def read(self) -> Any:
        from eyrie.guests.windows.firewall import State

        return State(tuple(self.rules), (), {}, True, 2)

    def apply(self, changes: Any) -> None:
        if self._netsh_works:
            self.rules = [rule for rule in self.rules if not any(name in rule for name in changes.remove)]


OURS = r"v2.30|Action=Block|Active=TRUE|Dir=Out|App=C:\q.exe|Name=Eyrie guest udp|"
FOREIGN = r"v2.30|Action=Allow|Active=TRUE|Dir=In|App=C:\q.exe|Name=Something else|"


def test_purge_removes_our_firewall_rules_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, [OURS, FOREIGN], netsh_works=True)
    assert purge.remove_rules() == []
    assert world.rules == [FOREIGN]


def test_rules_that_stay_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    World(monkeypatch, [OURS, FOREIGN], netsh_works=False)
    assert purge.remove_rules() == ["the firewall rule Eyrie guest udp stays: netsh did not delete it"]


def test_purge_takes_a_tree_and_tells_what_it_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Eyrie" / "items").mkdir(parents=True)
    (tmp_path / "Eyrie" / "items" / "disk").write_text("x")
    assert purge.remove_tree(tmp_path / "Eyrie") == []
    assert not (tmp_path / "Eyrie").exists()
    assert purge.remove_tree(tmp_path / "Eyrie") == []
    (tmp_path / "Eyrie").mkdir()
    (tmp_path / "Eyrie" / "held").write_text("x")

    def held(*_: object, **__: object) -> None:
        raise PermissionError(13, "in use by another program")

    monkeypatch.setattr("os.unlink", held)
    assert any(
        "held stays: in use by another program" in each for each in purge.remove_tree(tmp_path / "Eyrie")
    )


@pytest.mark.parametrize(
    ("rights", "private"),
    [
        ("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)", True),
        ("D:PAI(A;OICI;FA;;;BA)", True),
        ("D:(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)", False),  # inherits whatever is above
        ("D:AI(A;OICI;FA;;;SY)", False),
        ("D:P(A;OICI;FA;;;SY)(A;OICI;FR;;;BU)", False),
        ("D:P(A;OICI;FA;;;SY)(A;CI;WD;;;S-1-5-21-1-2-3-1001)", False),
        ("D:P(D;;FA;;;SY)", False),
        ("D:NO_ACCESS_CONTROL", False),
        ("D:P", False),
        ("", False),
    ],
)
def test_a_folder_is_private_if_the_system_and_its_administrators_are_alone(
    rights: str, private: bool
) -> None:
    assert security.admits_nobody_else(rights) is private
