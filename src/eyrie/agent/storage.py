# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's few small files: written whole or not at all, and a full disk is a state, not a crash."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

RECHECK_SECONDS = 30.0
PROBE_BYTES = 65536


class StateDir:
    """A private directory; `problem` says why it cannot be written, if so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        self._checked = 0.0

    def prepare(self) -> None:
        """Make the directory."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            self._blame(error)

    def _blame(self, error: OSError) -> None:
        self.problem = f"{self.path} cannot be written: {error.strerror or error}; make room or repair it"

    def save_text(self, name: str, text: str) -> bool:
        """Replace a file as a whole; False, and `problem` set, when that fails."""
        target, draft = self.path / name, self.path / f".{name}.new"
        try:
            with draft.open("w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(target)
        except OSError as error:
            self._blame(error)
            _remove(draft)
            return False
        self.problem = ""
        return True

    def load_text(self, name: str) -> str | None:
        """Return a file's text, None when it is not there or unreadable."""
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def save_json(self, name: str, data: Any) -> bool:
        """Replace a JSON file as a whole."""
        return self.save_text(name, json.dumps(data, sort_keys=True) + "\n")

    def load_json(self, name: str) -> Any:
        """Return a JSON file's value, None when there is none or it is broken."""
        text = self.load_text(name)
        try:
            return None if text is None else json.loads(text)
        except json.JSONDecodeError:
            return None

    def remove(self, name: str) -> bool:
        """Remove a file; removing what is not there is fine."""
        try:
            (self.path / name).unlink()
        except FileNotFoundError:
            return True
        except OSError as error:
            self._blame(error)
            return False
        return True

    def probe(self) -> bool:
        """Write a little and take it back: is there room?"""
        good = self.save_text("probe", "x" * PROBE_BYTES)
        return self.remove("probe") and good

    def recheck(self, now: float) -> None:
        """Once in a while, see whether a problem has gone."""
        if self.problem and now - self._checked >= RECHECK_SECONDS:
            self._checked = now
            self.probe()


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:  # it was never made, or the disk is worse than full: `problem` says so already
        return
