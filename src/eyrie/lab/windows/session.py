# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is logged in on a Windows desktop of the lab: a script, for Wine knows of no sessions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from eyrie.errors import EyrieError

STATES = ("active", "connected", "disconnected")
USER = re.compile(r"[^\s-]\S{0,19}")
FIRST, LISTENER = 1, 65536


@dataclass(frozen=True)
class Session:
    """One session, as Windows tells of it."""

    id: int = 1
    state: str = "active"
    user: str = "owner"
    locked: bool = False
    remote: bool = False

    def __post_init__(self) -> None:
        wanted = ""
        if not FIRST <= self.id < LISTENER:
            wanted = f"a number from {FIRST} (0 is the services') to {LISTENER - 1}"
        elif self.state not in STATES:
            wanted = f"one of {', '.join(STATES)}"
        elif self.user and (not USER.fullmatch(self.user) or len(self.user.encode()) > 20):
            wanted = "a user of at most 20 bytes without blanks, or nobody"
        if wanted:
            raise EyrieError("a session of a lab desktop", seen=self, wanted=wanted, next_step="correct it")


NOBODY = (Session(state="connected", user=""),)
"""The logon screen."""


def script(sessions: Iterable[Session]) -> str:
    """Return what the desktop's wtsapi32.dll reads."""
    lines = []
    for each in sessions:
        lock, place = "locked" if each.locked else "unlocked", "rdp" if each.remote else "console"
        lines.append(f"{each.id} {each.state} {each.user or '-'} {lock} {place}\n")
    return "".join(lines)


def parse(words: str) -> Session:
    """Read one session as the command line has it: `ID STATE USER LOCK PLACE`."""
    parts = words.split()
    if len(parts) != 5 or not parts[0].isdigit() or parts[3] not in ("locked", "unlocked"):
        raise EyrieError(
            "a session",
            seen=words,
            wanted="ID STATE USER LOCK PLACE, such as `1 active owner unlocked console`",
            next_step="correct it",
        )
    user = "" if parts[2] == "-" else parts[2]
    return Session(int(parts[0]), parts[1], user, parts[3] == "locked", parts[4] == "rdp")
