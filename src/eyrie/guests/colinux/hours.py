# SPDX-License-Identifier: GPL-3.0-or-later
"""When a guest runs on a desktop without an agent: outside its owner's hours, by Windows' scheduler; pure.

Windows XP has schtasks, Windows 2000 only at. Neither lists what it does in a form that is the same in every
language, so that a task's name says all: who reads the names knows the plan.
Sources: Microsoft's pages on schtasks (Windows XP) and at (Windows 2000).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from eyrie.agent.idle.calendar import DAYS, Window
from eyrie.errors import EyrieError
from eyrie.guests.colinux.preflight.answer import VERSION
from eyrie.windows.quoting import command_line

Verb = Literal["start", "stop"]
DAY = 24 * 60
WEEK = 7 * DAY
_AT_DAYS = ("M", "T", "W", "Th", "F", "S", "Su")
_NAME = re.compile(r"eyrie-hours-(?:start|stop)-[0-9a-f]{8}")
_JOB = re.compile(rf"^\D*(\d+)\s.*\bif not exist ({_NAME.pattern})\b", re.MULTILINE)
_SERVICE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MARKS = ("eyrie-tasks", "eyrie-jobs")

READ = f"ver & echo {_MARKS[0]}& schtasks /query /fo csv /nh 2>nul & echo {_MARKS[1]}& at 2>nul & ver >nul"
"""Asks for all in one round trip; of Windows 2000, which has no schtasks, only the rest answers."""


@dataclass(frozen=True)
class Task:
    """What the scheduler does with the guest's service, at one minute of the day, on some days."""

    verb: Verb
    minute: int
    days: frozenset[int]
    service: str

    @property
    def name(self) -> str:
        """The name, by which the whole task is known."""
        text = f"{self.service} {self.verb} {self.minute} {sorted(self.days)}"
        return f"eyrie-hours-{self.verb}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    @property
    def time(self) -> str:
        """HH:MM."""
        return f"{self.minute // 60:02}:{self.minute % 60:02}"

    def __str__(self) -> str:
        days = ",".join(DAYS[day] for day in sorted(self.days))
        return f"{self.verb} {self.service} {days} {self.time}"


@dataclass(frozen=True)
class Hours:
    """A desktop's plan."""

    tasks: tuple[Task, ...]
    cron: tuple[str, ...]
    """When the master begins to drain the guest: minute, hour and days of cron's lines."""


@dataclass(frozen=True)
class Seen:
    """What a desktop answered: its version, and our tasks by name, of at with their number."""

    version: tuple[int, int]
    tasks: dict[str, str] = field(default_factory=dict)

    @property
    def has_schtasks(self) -> bool:
        """Windows 2000 (5.0) has none."""
        return self.version > (5, 0)


def hours(busy: Sequence[Window], service: str, stop_minutes: int, drain_minutes: int) -> Hours:
    """Plan for the owner's hours: the guest is told to stop so long before them, and drained before that."""
    if not _SERVICE.fullmatch(service):
        raise EyrieError("service", seen=service, wanted="a name of one word, which coLinux 0.7.9 needs")
    week = [any(window.covers(*divmod(minute, DAY)) for window in busy) for minute in range(WEEK)]
    if all(week) or not any(week):
        raise EyrieError(
            "busy_windows",
            seen="the whole week" if all(week) else "none",
            wanted="the owner's hours: without an agent nobody sees that he is there",
            next_step="name them, such as mon to fri from 07:00 to 19:00",
        )
    starts = [minute for minute in range(WEEK) if week[minute - 1] and not week[minute]]
    ends = [minute for minute in range(WEEK) if not week[minute - 1] and week[minute]]
    lead = stop_minutes + drain_minutes
    for start in starts:
        length = min((end - start) % WEEK for end in ends)
        if length <= lead:
            raise EyrieError(
                f"the guest's hours from {DAYS[start // DAY]} {start % DAY // 60:02}:{start % 60:02}",
                seen=f"{length} minutes",
                wanted=f"more than the {lead} in which it is drained and stopped",
                next_step="join the busy windows around them",
            )
    tasks = _grouped("start", starts, service)
    tasks += _grouped("stop", [(end - stop_minutes) % WEEK for end in ends], service)
    drains = _grouped("stop", [(end - lead) % WEEK for end in ends], service)
    return Hours(tuple(tasks), tuple(_cron(each) for each in drains))


def _grouped(verb: Verb, minutes: Iterable[int], service: str) -> list[Task]:
    days: dict[int, set[int]] = {}
    for minute in minutes:
        days.setdefault(minute % DAY, set()).add(minute // DAY)
    return [Task(verb, minute, frozenset(found), service) for minute, found in sorted(days.items())]


def _cron(task: Task) -> str:
    days = ",".join(sorted(str((day + 1) % 7) for day in task.days))  # cron's week begins on Sunday
    return f"{task.minute % 60} {task.minute // 60} * * {days}"


def running_now(
    running: bool, busy: Sequence[Window], lead_minutes: int, bias: int | None, now: datetime
) -> bool | None:
    """Return whether the guest shall run now; None: it is left as it is, for the hours are its owner's.

    `bias` are the minutes from the desktop's local time to UTC; a clock that was not read means: busy.
    """
    if not running or not busy:
        return running
    if bias is None:
        return None
    local = now.astimezone(UTC) - timedelta(minutes=bias)
    minute = local.weekday() * DAY + local.hour * 60 + local.minute
    ahead = [divmod((minute + more) % WEEK, DAY) for more in range(lead_minutes + 1)]
    return None if any(window.covers(*each) for window in busy for each in ahead) else True


def parse(answer: str, host: str) -> Seen:
    """Read what READ brought."""
    head, *rest = re.split("|".join(_MARKS), answer)
    version = VERSION.search(head)
    if version is None or len(rest) != len(_MARKS):
        raise EyrieError(f"desktop {host}", seen=answer[:200], wanted="ver, and lists of tasks")
    number = (int(version[1]), int(version[2]))
    if number > (5, 0):
        return Seen(number, dict.fromkeys(_NAME.findall(rest[0]), ""))
    return Seen(number, {name: job for job, name in _JOB.findall(rest[1])})


def lines(seen: Seen, wanted: Collection[Task]) -> tuple[str, ...]:
    """Return the commands that make the tasks what is wanted; none if they are so."""
    names = {task.name for task in wanted}
    gone = [name for name in sorted(seen.tasks) if name not in names]
    # Where only half of them comes about, a guest that stops is better than one that starts.
    made = sorted(
        (task for task in wanted if task.name not in seen.tasks), key=lambda task: task.verb != "stop"
    )
    return tuple([_create(seen, task) for task in made] + [_delete(seen, name) for name in gone])


def _create(seen: Seen, task: Task) -> str:
    # No sign in it means anything to cmd.exe, at or schtasks; the condition, which holds, carries the name.
    run = ["cmd", "/c", "if", "not", "exist", task.name, "net", task.verb, task.service]
    if not seen.has_schtasks:
        every = ",".join(_AT_DAYS[day] for day in sorted(task.days))
        return f"at {task.time} /every:{every} {' '.join(run)}"
    days = ",".join(DAYS[day].upper() for day in sorted(task.days))
    time = f"{task.time}:00" if seen.version < (6, 0) else task.time
    schedule = ["/sc", "weekly", "/d", days, "/st", time, "/ru", "SYSTEM"]
    return command_line(["schtasks", "/create", "/tn", task.name, "/tr", " ".join(run), *schedule])


def _delete(seen: Seen, name: str) -> str:
    if not seen.has_schtasks:
        return f"at {seen.tasks[name]} /delete"
    return command_line(["schtasks", "/delete", "/tn", name, "/f"])


def write(commands: Sequence[str]) -> str:
    """Return one line that runs all and lists the tasks again: it is judged by what is there after it."""
    return " & ".join(f"{command} >nul" for command in commands) + f" & {READ}"
