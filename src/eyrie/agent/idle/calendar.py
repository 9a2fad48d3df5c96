# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows of the week in which the desktop is its owner's, whoever is or is not at it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Callable, Sequence

from eyrie.agent.idle.base import Kind, Quiet, Reading

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Window:
    """Busy from `start` to `end` (minutes of the local day); an end at or before the start is next day's."""

    days: frozenset[int]
    start: int
    end: int

    def covers(self, weekday: int, minute: int) -> bool:
        """Tell whether a minute of a weekday (0 = Monday) lies in the window."""
        if self.start < self.end:
            return weekday in self.days and self.start <= minute < self.end
        yesterday = (weekday - 1) % 7
        return (weekday in self.days and minute >= self.start) or (
            yesterday in self.days and minute < self.end
        )

    def __str__(self) -> str:
        """Name the window as an owner would."""
        days = ",".join(DAYS[day] for day in sorted(self.days))
        return f"{days} {self.start // 60:02}:{self.start % 60:02}-{self.end // 60:02}:{self.end % 60:02}"


def parse_time(text: str) -> int:
    """Return the minute of the day of `HH:MM`, already checked."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


class Calendar(Quiet):
    """Busy inside the windows, out of the way outside them."""

    name = "calendar"
    person = False

    def __init__(self, windows: Sequence[Window], wall: Callable[[], float] = time.time) -> None:
        self._windows = tuple(windows)
        self._wall = wall

    def read(self, now: float) -> Reading:
        """Return idle for ever outside the windows, not at all inside one."""
        del now  # durations are monotonic, a calendar is not
        if not self._windows:
            return Reading(self.name, Kind.ABSENT, detail="no windows configured")
        local = time.localtime(self._wall())
        for window in self._windows:
            if window.covers(local.tm_wday, local.tm_hour * 60 + local.tm_min):
                return Reading(self.name, Kind.IDLE, 0.0, f"inside the busy window {window}")
        return Reading(self.name, Kind.IDLE, math.inf, "outside all busy windows")
