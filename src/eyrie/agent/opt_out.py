# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner's standing wish to be left out: it outlives restarts; who made it, or root, takes it back."""

from __future__ import annotations

from dataclasses import dataclass

from eyrie.agent import hints
from eyrie.agent.edges import Who
from eyrie.agent.history import stamp
from eyrie.agent.storage import StateDir
from eyrie.errors import EyrieError

FILE = "opt-out.json"
# An administrator asks as root does on Linux: as whoever may undo anybody's wish (BUILTIN\\Administrators).
ADMINISTRATORS = "S-1-5-32-544"


@dataclass(frozen=True)
class OptOut:
    """Who asked, and when."""

    uid: Who
    at: str

    def phrase(self) -> str:
        """Return it as a reason."""
        return f"paused by {account(self.uid)} on {self.at}"


def account(uid: Who) -> str:
    """Return a user's name."""
    if isinstance(uid, str):
        from eyrie.agent.windows.accounts import name_of

        return "an administrator" if uid == ADMINISTRATORS else name_of(uid)
    import pwd  # Linux alone has it

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def load(directory: StateDir) -> OptOut | None:
    """Return the wish on record; a record that cannot be understood still is one."""
    text = directory.load_text(FILE)
    if text is None:
        return None
    data = directory.load_json(FILE)
    if isinstance(data, dict) and isinstance(data.get("uid"), (int, str)) and isinstance(data.get("at"), str):
        return OptOut(data["uid"], data["at"])
    return OptOut(0, "an unknown date")


def pause(directory: StateDir, present: OptOut | None, uid: Who, wall: float) -> tuple[OptOut, bool]:
    """Record the wish; False beside it if it could not be written. An earlier wish of another stays."""
    wish = present or OptOut(uid, stamp(wall))
    return wish, directory.save_json(FILE, {"uid": wish.uid, "at": wish.at})


def resume(directory: StateDir, present: OptOut | None, uid: Who) -> None:
    """Take the wish back; raises EyrieError when it is another's."""
    if present is None:
        return
    if uid not in (0, ADMINISTRATORS, present.uid):
        raise EyrieError(
            "this desktop was paused by someone else",
            seen=account(uid),
            wanted=f"{account(present.uid)} or {hints.ROOT}",
            next_step=f"ask them to run `{hints.RESUME}`",
        )
    if not directory.remove(FILE):
        raise EyrieError("the pause could not be taken back", seen=directory.problem)
