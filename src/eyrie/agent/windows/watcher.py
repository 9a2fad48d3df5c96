# SPDX-License-Identifier: GPL-3.0-or-later
"""The helper inside a user's session: tells seconds and one number, never what anybody types or sees."""

from __future__ import annotations

import time
from dataclasses import dataclass

from eyrie.agent.windows import input as session_input
from eyrie.agent.windows import pipes
from eyrie.agent.windows.kernel import step_back

POLL = 0.25
HEARTBEAT = 2.0
CALL_SECONDS = 10.0
SEND_SECONDS = 5.0


@dataclass(frozen=True)
class Report:
    """One line of the helper."""

    idle: float
    notification: int  # QUERY_USER_NOTIFICATION_STATE, 0 when not known

    def line(self) -> bytes:
        """Return it as it is sent."""
        return f"{self.idle:.3f} {self.notification}\n".encode()


def parse(line: bytes) -> Report | None:
    """Return a report, None if the line is none: it comes from a user's process, so anything may be in it."""
    words = line.split()
    try:
        report = Report(float(words[0]), int(words[1])) if len(words) == 2 and len(line) < 64 else None
    except ValueError:
        return None
    if report is None or not 0.0 <= report.idle < 1e9 or not 0 <= report.notification < 100:
        return None
    return report


class Pace:
    """When to speak: every other second, and at once when somebody comes back who may find a guest."""

    def __init__(self, needed: float = 0.0) -> None:
        """Take the seconds without input that a guest needs."""
        # Not a word too late for a guest that started a moment early by another clock.
        self._quiet = max(HEARTBEAT, needed - 2 * HEARTBEAT)
        self._said_at = -HEARTBEAT
        self._tick: int | None = None
        self._idle = 0.0

    def due(self, now: float, tick: int, idle: float) -> bool:
        """Tell whether a report is due at `now`, for input at `tick`, `idle` seconds ago."""
        back = tick != self._tick and self._idle >= HEARTBEAT
        if not back and 0.0 <= now - self._said_at < HEARTBEAT:
            return False
        self._said_at, self._tick, self._idle = now, tick, idle
        return True

    def rest(self, now: float) -> float:
        """Return the seconds to the next look: while no guest can be running nobody's return is urgent."""
        if self._idle >= self._quiet:
            return POLL
        return max(POLL, self._said_at + HEARTBEAT - now)


def watch(name: str, needed: float) -> int:
    """Report until the agent is gone; a guest needs `needed` seconds without input."""
    step_back()
    pace = Pace(needed)
    try:
        pipe = pipes.call(name, pipes.WRITE, CALL_SECONDS)
        while True:
            tick, idle = session_input.last_input()
            if pace.due(time.monotonic(), tick, idle):
                pipe.write(Report(idle, session_input.notification_state()).line(), SEND_SECONDS)
            time.sleep(pace.rest(time.monotonic()))
    except (OSError, TimeoutError):
        return 0  # the agent ended, and it is the one who tells of trouble
