# SPDX-License-Identifier: GPL-3.0-or-later
"""Typing on terminals: consoles, terminal windows and remote logins, told by their devices' access times.

Linux moves a terminal's access time at a read, but only into another 8-second slot (`(old ^ now) & ~7`), so
the last keystroke may be up to 8 s younger than the access time shows. Access times are wall clock: they are
only compared with their former selves; seconds are counted on the monotonic clock, so no jump fakes absence.
"""
# ruff: noqa: PTH116, PTH208 - polled twice a second: plain strings cost a third of path objects

from __future__ import annotations

import os
import pwd
import stat
from typing import Callable, Iterable, Sequence

from eyrie.agent.idle.base import Kind, Quiet, Reading

SLOT_SECONDS = 8.0


class Terminal(Quiet):
    """The least idle of all terminals; one that newly appears counts as activity."""

    name = "terminal"
    person = True

    def __init__(self, now: float, ignored_users: Sequence[str] = (), dev: str = "/dev") -> None:
        self._dev = dev
        self._pts = f"{dev}/pts"
        self._ignored = ignored_users
        self._uids = _uids(ignored_users)
        self._consoles: tuple[str, ...] = ()
        self._dev_changed = -1
        self._seen: dict[str, tuple[int, int, int]] = {}
        self._last, self._where = now, ""
        self._look(now)  # what is there already is no news, but may have been in use a moment ago
        self._last, self._where = now + SLOT_SECONDS, "counted from the agent's start"

    def read(self, now: float) -> Reading:
        """Return the seconds since the last keystroke anybody can have made."""
        try:
            self._look(now)
        except OSError as error:
            return Reading(self.name, Kind.UNKNOWN, detail=f"terminals cannot be read ({error})")
        return Reading(self.name, Kind.IDLE, max(0.0, now - self._last), self._where)

    def _look(self, now: float) -> None:
        changed = os.stat(self._dev).st_mtime_ns
        if changed != self._dev_changed:
            self._dev_changed = changed
            self._uids = _uids(self._ignored)
            self._consoles = tuple(_consoles(self._dev))
        found: dict[str, tuple[int, int, int]] = {}
        for path in self._consoles:
            self._one(path, found, now)
        for entry in _names(self._pts):
            if entry != "ptmx":
                self._one(f"{self._pts}/{entry}", found, now)
        self._seen = found

    def _one(self, path: str, found: dict[str, tuple[int, int, int]], now: float) -> None:
        try:
            status = os.stat(path)
        except FileNotFoundError:  # closed between listing and looking
            return
        if not stat.S_ISCHR(status.st_mode) or status.st_uid in self._uids:
            return
        mark = (status.st_atime_ns, status.st_ino, status.st_rdev)
        found[path] = mark
        before = self._seen.get(path)
        if before != mark:
            self._last = now + SLOT_SECONDS
            self._where = f"{'typing on' if before else 'a new login on'} {path}"


def _names(directory: str) -> Iterable[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return ()


def _consoles(dev: str) -> Iterable[str]:
    """Return the terminals that live in /dev itself; `tty` alone is only a name for one's own."""
    for entry in os.listdir(dev):
        if entry == "console" or (entry.startswith("tty") and entry[-1:].isdigit()):
            yield f"{dev}/{entry}"


def _uids(names: Sequence[str], lookup: Callable[[str], pwd.struct_passwd] = pwd.getpwnam) -> frozenset[int]:
    """Return the numbers of those users that exist here."""
    found = set()
    for name in names:
        try:
            found.add(lookup(name).pw_uid)
        except KeyError:  # an office-wide list names users some desktops do not have
            continue
    return frozenset(found)
