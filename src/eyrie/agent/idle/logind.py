# SPDX-License-Identifier: GPL-3.0-or-later
"""Graphical sessions by what systemd-logind has been told of them; terminals are left to their own source.

Nothing is polled: logind says when sessions come, go or change, and its words are taken from the connection
when it becomes readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterable, Mapping

from eyrie.agent.idle.base import Kind, Reading
from eyrie.agent.idle.logind_bus import Bus, BusError, NoLogind

GRAPHICAL = ("x11", "wayland", "mir")
RETRY = 30.0


@dataclass(frozen=True)
class Session:
    """What logind knows of one graphical session."""

    name: str
    user: str
    kind: str
    display: str
    idle_since: float | None  # monotonic; None: in use
    locked: bool


def graphical(properties: Mapping[str, Any]) -> Session | None:
    """Return the session if a person's graphical one; greeters, background and terminal sessions are not."""
    if properties.get("Type") not in GRAPHICAL or properties.get("Class") != "user":
        return None
    if properties.get("State") == "closing":
        return None
    since = float(properties["IdleSinceHintMonotonic"]) / 1e6 if properties["IdleHint"] else None
    return Session(
        name=str(properties["Id"]),
        user=str(properties["Name"]),
        kind=str(properties["Type"]),
        display=str(properties.get("Display", "")),
        idle_since=since,
        locked=bool(properties.get("LockedHint", False)),
    )


class Logind:
    """The least idle of all graphical sessions."""

    name = "logind"
    person = True

    def __init__(
        self,
        connect: Callable[[], Bus] = Bus,
        measured: Callable[[], frozenset[str]] = frozenset,
        ignored_users: Iterable[str] = (),
        socket_path: Path = Path("/run/dbus/system_bus_socket"),
    ) -> None:
        self._connect = connect
        self._measured = measured  # X displays whose real input another source sees: better than a hint
        self._ignored = frozenset(ignored_users)
        self._socket = socket_path
        self._bus: Bus | None = None
        self._stale = True
        self._sessions: tuple[Session, ...] = ()
        self._locked_at: dict[str, float] = {}
        self._problem: Reading | None = None
        self._retry_at = 0.0

    def read(self, now: float) -> Reading:
        """Return the seconds since the last session became idle or locked."""
        if self._bus is None and now >= self._retry_at:
            self._open(now)
        if self._bus is not None and self._stale:
            self._refresh(now)
        if self._problem is not None:
            return self._problem
        return self._judge(now)

    def filenos(self) -> Iterable[int]:
        """Return the bus connection."""
        return () if self._bus is None else (self._bus.fileno(),)

    def ready(self, _fileno: int, now: float) -> None:
        """Take in what logind says; the sessions are asked for at the next reading."""
        try:
            if self._bus is not None and self._bus.drain():
                self._stale = True
        except Exception as error:
            self._fail(str(error) or type(error).__name__, now)

    def close(self) -> None:
        """Leave the bus."""
        if self._bus is not None:
            self._bus.close()
            self._bus = None

    def _open(self, now: float) -> None:
        if not self._socket.exists():
            self._problem = Reading(self.name, Kind.ABSENT, detail="no system bus")
            self._retry_at = now + RETRY
            return
        try:
            self._bus, self._stale = self._connect(), True
        except (BusError, ImportError) as error:
            self._fail(str(error), now)

    def _refresh(self, now: float) -> None:
        assert self._bus is not None
        try:
            self._bus.drain()
            found = [graphical(properties) for properties in self._bus.sessions()]
            self._problem = None
            self._stale = False
        except NoLogind:
            self.close()
            self._retry_at = now + RETRY
            self._problem = Reading(self.name, Kind.ABSENT, detail="no logind")
            return
        except Exception as error:
            self._fail(str(error) or type(error).__name__, now)
            return
        self._sessions = tuple(each for each in found if each and each.user not in self._ignored)
        locked = {each.name for each in self._sessions if each.locked}
        self._locked_at = {name: self._locked_at.get(name, now) for name in locked}

    def _fail(self, text: str, now: float) -> None:
        """Without the bus a graphical session may be in use unseen."""
        self.close()
        self._retry_at = now + RETRY
        self._problem = Reading(self.name, Kind.UNKNOWN, detail=f"logind cannot be asked ({text})")

    def _judge(self, now: float) -> Reading:
        measured = self._measured()
        told = [each for each in self._sessions if not (each.kind == "x11" and each.display in measured)]
        if not told:
            return Reading(self.name, Kind.ABSENT, detail="no graphical session")
        readings = [self._one(each, now) for each in told]
        return min(readings, key=lambda reading: reading.seconds)

    def _one(self, session: Session, now: float) -> Reading:
        who = f"the {session.kind} session of {session.user}"
        if session.idle_since is not None:
            return Reading(self.name, Kind.IDLE, max(0.0, now - session.idle_since), f"{who} is idle")
        if session.name in self._locked_at:
            return Reading(
                self.name, Kind.IDLE, max(0.0, now - self._locked_at[session.name]), f"{who} is locked"
            )
        return Reading(self.name, Kind.IDLE, 0.0, f"{who} is in use")
