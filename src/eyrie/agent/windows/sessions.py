# SPDX-License-Identifier: GPL-3.0-or-later
"""How long everybody has been away from this desktop: every session counts, who is not watched is here."""

from __future__ import annotations

from typing import Callable, Iterable, Sequence

from eyrie.agent.idle.base import Kind, Quiet, Reading
from eyrie.agent.windows.helpers import Helpers
from eyrie.agent.windows.wts import Session

LIST_SECONDS = 2.0  # Windows tells of changes at once; this is for what it may not tell
# Locked (a screen saver does that, too, and who presses Win+L is seen by the helper), controlled from afar.
NOBODY = (7, 9)
AWAY = ("disconnected",)  # programs go on there, but no keyboard leads to them


class Desk:
    """The sessions and their helpers, which several sources look at."""

    def __init__(
        self,
        listing: Callable[[], Sequence[Session]],
        helpers: Helpers,
        changes: Callable[[], Iterable[int]] = tuple,
        ignored_users: Iterable[str] = (),
    ) -> None:
        self._listing, self.helpers, self._changes = listing, helpers, changes
        self._ignored = frozenset(user.lower() for user in ignored_users)
        self._listed_at: float | None = None
        self.problem = ""
        self.people: tuple[Session, ...] = ()
        self.changed_at: float | None = None  # when somebody last came, went, locked or unlocked
        self.away_since: dict[int, float] = {}

    def look(self, now: float) -> None:
        """Know the sessions as they are now."""
        told = tuple(self._changes())
        if any(each not in NOBODY for each in told):
            self.changed_at = now
        elif not told and self._listed_at is not None and 0.0 <= now - self._listed_at < LIST_SECONDS:
            return
        first, self._listed_at = self._listed_at is None, now
        try:
            listed = self._listing()
        except (OSError, ValueError) as error:
            self.problem = f"Windows does not tell its sessions ({error})"
            return
        self.problem = "" if listed else "Windows lists no sessions at all, not even its own"
        people = tuple(each for each in listed if each.user and each.user.lower() not in self._ignored)
        if not first and _keys(people) != _keys(self.people):
            self.changed_at = now  # also where Windows did not tell
        self.people = people
        self.away_since = {each.id: self._since(each, now) for each in people if each.state in AWAY}
        self.helpers.keep((each.id for each in people if each.state not in AWAY), now)

    def _since(self, session: Session, now: float) -> float:
        if session.disconnected_seconds is not None:
            return now - session.disconnected_seconds
        return self.away_since.get(session.id, now)


def _keys(people: Iterable[Session]) -> set[tuple[int, str, str]]:
    return {(each.id, each.user, each.state) for each in people}


class Sessions(Quiet):
    """The least idle of all sessions."""

    name = "sessions"
    person = True

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def read(self, now: float) -> Reading:
        """Return the seconds since anybody's last input, or since the last one left."""
        desk = self._desk
        desk.look(now)
        if desk.problem:
            return Reading(self.name, Kind.UNKNOWN, detail=desk.problem)
        readings = [self._one(each, now) for each in desk.people]
        for reading in readings:
            if reading.kind is Kind.UNKNOWN:
                return reading
        if desk.changed_at is not None:
            seconds = max(0.0, now - desk.changed_at)
            readings.append(Reading(self.name, Kind.IDLE, seconds, "somebody came or left"))
        if not readings:
            return Reading(self.name, Kind.IDLE, now, "nobody has been logged on since the start")
        least = min(readings, key=lambda reading: reading.seconds)
        if not desk.people:
            return Reading(self.name, Kind.IDLE, least.seconds, "nobody is logged on")
        return least

    def _one(self, session: Session, now: float) -> Reading:
        who = f"session {session.id} of {session.user}"
        if session.id in self._desk.away_since:
            seconds = max(0.0, now - self._desk.away_since[session.id])
            return Reading(self.name, Kind.IDLE, seconds, f"{who} is disconnected")
        heard = self._desk.helpers.heard(session.id, now)
        if heard is None:
            trouble = self._desk.helpers.trouble(session.id)
            return Reading(self.name, Kind.UNKNOWN, detail=f"{who} cannot be watched ({trouble})")
        kind = " over the network" if session.remote else ""
        locked = ", locked" if session.locked else ""
        return Reading(self.name, Kind.IDLE, heard.idle(now), f"{who}{kind}{locked}")

    def close(self) -> None:
        """End the helpers."""
        self._desk.helpers.close()


NOT_PRESENT, BUSY, FULL_SCREEN, PRESENTING, ACCEPTS, QUIET, APP = 1, 2, 3, 4, 5, 6, 7
_ENGAGED = {
    BUSY: "runs a program on the full screen",
    FULL_SCREEN: "plays or shows something on the full screen",
    PRESENTING: "gives a presentation",
}
_FREE = (NOT_PRESENT, ACCEPTS, QUIET, APP)  # an app of Windows 8 and up is an ordinary program


class Presentation(Quiet):
    """Busy while anybody presents or watches: people who do neither type nor move."""

    name = "presentation"
    person = False

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._engaged_at: float | None = None

    def read(self, now: float) -> Reading:
        """Return the seconds since nobody is engaged any more."""
        desk = self._desk
        desk.look(now)
        if desk.problem:
            return Reading(self.name, Kind.UNKNOWN, detail=desk.problem)
        watched = [each for each in desk.people if each.id not in desk.away_since]
        if not watched:
            return Reading(self.name, Kind.ABSENT, detail="nobody is logged on")
        for session in watched:
            who = f"session {session.id} of {session.user}"
            heard = desk.helpers.heard(session.id, now)
            state = heard.report.notification if heard is not None else 0
            if state in _ENGAGED:
                self._engaged_at = now
                return Reading(self.name, Kind.IDLE, 0.0, f"{who} {_ENGAGED[state]}")
            if state not in _FREE:
                return Reading(self.name, Kind.UNKNOWN, detail=f"{who} does not tell what it shows")
        since = now if self._engaged_at is None else now - self._engaged_at
        return Reading(self.name, Kind.IDLE, since, "nobody presents or watches anything")

    def close(self) -> None:
        """End the helpers."""
        self._desk.helpers.close()
