# SPDX-License-Identifier: GPL-3.0-or-later
"""Typing on terminals: consoles, terminal windows and remote logins, told by two witnesses.

The access time of a terminal's device moves at a read, but only into another 8-second slot
(`(old ^ now) & ~7` in drivers/tty/tty_io.c): the last keystroke may be up to 8 s younger than it shows.
inotify tells every read at once, if a watch stands on the node it goes through: the terminal's own, or
/dev/tty. So a read that both tell of is exactly known, and any other counts as if it came 8 s later.
Access times are wall clock: they are only compared with their former selves; seconds are counted on the
monotonic clock, so no jump fakes absence.
"""
# ruff: noqa: PTH116, PTH208 - polled twice a second: plain strings cost a third of path objects

from __future__ import annotations

import os
import pwd
import stat
from typing import Callable, Iterable, Sequence

from eyrie.agent.idle.base import Kind, Reading
from eyrie.agent.idle.hearing import Hearing, Mark

SLOT_SECONDS = 8.0


class Terminal:
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
        self._seen: dict[str, Mark] = {}
        self._exact = False
        self._looked = now
        self._hearing = Hearing(f"{dev}/tty")
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

    def filenos(self) -> Iterable[int]:
        """Return what wakes the agent at the first keystroke after a rest."""
        return self._hearing.filenos(self._looked)

    def ready(self, _fileno: int, now: float) -> None:
        """Take in what was read at this very moment."""
        self._listen(now)

    def close(self) -> None:
        """Watch no longer."""
        self._hearing.close()

    def _look(self, now: float) -> None:
        changed = os.stat(self._dev).st_mtime_ns
        if changed != self._dev_changed:
            self._dev_changed = changed
            self._uids = _uids(self._ignored)
            self._consoles = tuple(_consoles(self._dev))
        found: dict[str, Mark] = {}
        ignoring = False
        for path in self._paths():
            try:
                status = os.stat(path)
            except FileNotFoundError:  # closed between listing and looking
                continue
            if not stat.S_ISCHR(status.st_mode):
                continue
            if status.st_uid in self._uids:
                ignoring = True
            else:
                found[path] = (status.st_atime_ns, status.st_ino, status.st_rdev)
        self._judge(found, ignoring, now)

    def _paths(self) -> Iterable[str]:
        yield from self._consoles
        for entry in _names(self._pts):
            if entry != "ptmx":
                yield f"{self._pts}/{entry}"

    def _judge(self, found: dict[str, Mark], ignoring: bool, now: float) -> None:
        """Compare what both witnesses say of the time since the last look."""
        before, self._seen, since, self._looked = self._seen, found, self._looked, now
        self._hearing.watch(found)
        # Who reads /dev/tty is not told: with people about who do not count, it says nothing.
        exact = self._hearing.whole and not ignoring
        if self._exact and not exact and now < self._last + SLOT_SECONDS:
            self._last += SLOT_SECONDS  # they may go on unheard
        self._exact = exact
        self._listen(now)  # after the look: a read's notice follows its access time
        for path, mark in found.items():
            if path not in before:
                # From now on it is heard; what its owner typed before was before now.
                known = exact and self._hearing.hears(path)
                self._note(f"a new login on {path}", now if known else now + SLOT_SECONDS)
            elif before[path] != mark:
                known = exact and self._hearing.heard(path, since)
                self._note(f"typing on {path}", now if known else now + SLOT_SECONDS)

    def _listen(self, now: float) -> None:
        for path in self._hearing.take(now):
            if path in self._seen:
                self._note(f"typing on {path}", now if self._exact else now + SLOT_SECONDS)
            elif self._exact:
                self._note("typing on some terminal", now)

    def _note(self, where: str, until: float) -> None:
        if until >= self._last:
            self._last, self._where = until, where


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
