# SPDX-License-Identifier: GPL-3.0-or-later
"""Which configuration is in force: the file, or, when that is broken, the last good one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eyrie.agent.config import Config, load, parse
from eyrie.agent.storage import StateDir
from eyrie.errors import EyrieError

LAST_GOOD = "last-good.json"


@dataclass(frozen=True)
class Settings:
    """A configuration, and what is wrong with the file if it is not the file's."""

    config: Config | None
    problem: str = ""

    @property
    def fault(self) -> str:
        """Return why nothing can be run at all."""
        return self.problem if self.config is None else ""


def read(path: Path, directory: StateDir, present: Config | None = None) -> Settings:
    """Return the file's configuration, else the present one, else the last good one on record."""
    try:
        config = load(path)
    except EyrieError as error:
        kept = present or _last_good(directory)
        tail = "; the last good configuration stays in force" if kept else ""
        return Settings(kept, f"{error}{tail}")
    text = path.read_text(encoding="utf-8")
    if directory.load_text(LAST_GOOD) != text:
        directory.save_text(LAST_GOOD, text)
    return Settings(config)


def _last_good(directory: StateDir) -> Config | None:
    text = directory.load_text(LAST_GOOD)
    if text is None:
        return None
    try:
        return parse(text, str(directory.path / LAST_GOOD))
    except EyrieError:  # of another version of the agent: as good as none
        return None
