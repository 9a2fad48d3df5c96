# SPDX-License-Identifier: GPL-3.0-or-later
"""A short journal of what the desktop did for the pool: for its owner and for `status`."""

from __future__ import annotations

import json
import time
from typing import Any

from eyrie.agent.model import State, Value
from eyrie.agent.storage import StateDir

FILE = "history.jsonl"
KEEP = 100
TOLD = (State.JOINED, State.EVICTING, State.FAILED, State.DISABLED)


class History:
    """The last entries, oldest first; written whole, because it is small and must never grow."""

    def __init__(self, directory: StateDir) -> None:
        self._directory = directory
        self.entries: list[dict[str, Any]] = _parse(directory.load_text(FILE) or "")

    def note(self, before: Value, after: Value, now: float, wall: float) -> None:
        """Write down a change of state that an owner may want to know of."""
        entry = describe(before, after, now, wall)
        if entry is None:
            return
        last = self.entries[-1] if self.entries else {}
        if entry["state"] == State.FAILED.value and _same(entry, last):
            return  # a master that is away for a night is told once
        self.entries = [*self.entries, entry][-KEEP:]
        self._directory.save_text(FILE, "".join(json.dumps(each) + "\n" for each in self.entries))


def _same(entry: dict[str, Any], last: dict[str, Any]) -> bool:
    return all(entry[key] == last.get(key) for key in ("state", "reason"))


def describe(before: Value, after: Value, now: float, wall: float) -> dict[str, Any] | None:
    """Return the entry for a change of state; None for the everyday ones."""
    if before.state is after.state:
        return None
    entry: dict[str, Any] = {"at": stamp(wall), "state": after.state.value, "reason": after.reason}
    if before.state is State.JOINED:
        entry["joined_seconds"] = round(now - before.since)
    if after.state in TOLD or before.state is State.DISABLED:
        return entry
    return None


def stamp(wall: float) -> str:
    """Return local time with its offset, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(wall))


def _parse(text: str) -> list[dict[str, Any]]:
    """Return the whole entries of the file; a torn or foreign line is left out."""
    entries = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(entry, dict) and "state" in entry:
            entries.append(entry)
    return entries[-KEEP:]
