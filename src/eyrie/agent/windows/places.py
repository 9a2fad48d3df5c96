# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the agent keeps what on Windows, closed to everybody but the system and its administrators."""

from __future__ import annotations

import importlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eyrie.agent.windows import security
from eyrie.errors import EyrieError

KEY = r"Software\Eyrie\Agent"
SECRET = "Enrolment"  # noqa: S105 - the value's name
FOLDERS = ("state", "run", "items", "log")


def default_data() -> Path:
    """Return the folder of everything the agent keeps."""
    return Path(os.environ.get("ProgramData") or r"C:\ProgramData") / "Eyrie"  # noqa: SIM112 - as Windows has it


@dataclass(frozen=True)
class Places:
    """The parts of that folder."""

    data: Path

    @property
    def config(self) -> Path:
        """Return the configuration's file."""
        return self.data / "agent.json"

    @property
    def state(self) -> Path:
        """Return where the agent remembers things."""
        return self.data / "state"

    @property
    def run(self) -> Path:
        """Return where it keeps what ends with it."""
        return self.data / "run"

    @property
    def log(self) -> Path:
        """Return the log file."""
        return self.data / "log" / "agent.log"

    @property
    def lock(self) -> Path:
        """Return the file that names the one agent."""
        return self.run / "agent.lock"

    def prepare(self) -> None:
        """Make the folders, or close those that are there; what a user may have put there is refused."""
        try:
            if self.data.exists():
                _refuse_foreign(self.data)
                if not security.is_private(str(self.data)):
                    self._look_through()
            for path in (self.data, *(self.data / name for name in FOLDERS)):
                security.make_private(str(path))
        except OSError as error:
            raise EyrieError(
                f"{self.data}",
                seen=str(error),
                wanted="a folder the agent can write",
                next_step="run it as an administrator",
            ) from error

    def _look_through(self) -> None:
        """Take over what is in a folder that was open to others, if administrators made all of it."""
        security.make_private(str(self.data))
        _refuse_foreign_below(self.data)
        for path in self.data.iterdir():
            if path.is_file():
                security.protect(str(path))


def _refuse_foreign_below(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        _refuse_foreign(path)  # before going in: it may be a link to elsewhere
        if path.is_dir():
            _refuse_foreign_below(path)


def _refuse_foreign(path: Path) -> None:
    """Any user may make files below ProgramData, so a folder of the right name proves nothing."""
    attributes = getattr(path.lstat(), "st_file_attributes", 0)
    if attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT:
        raise EyrieError(
            f"{path}", seen="a link to elsewhere", wanted="a plain file or folder", next_step=_ASK
        )
    owner = security.owner_of(str(path))
    if not security.trusted(owner):
        raise EyrieError(
            f"{path}", seen=f"made by {owner}", wanted="made by an administrator", next_step=_ASK
        )


_ASK = "find out who made it, remove it, and start the agent again"


def take_secret(places: Places) -> bool:
    """Move the enrolment secret from the registry, which everybody reads, to its file; True if so."""
    winreg: Any = importlib.import_module("winreg")
    access = winreg.KEY_READ | winreg.KEY_SET_VALUE
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, KEY, 0, access) as key:
            secret, kind = winreg.QueryValueEx(key, SECRET)
            if kind == winreg.REG_SZ and secret:
                _write_secret(places.data / "enrolment", secret)
            winreg.DeleteValue(key, SECRET)
            return bool(secret)
    except FileNotFoundError:
        return False


def _write_secret(path: Path, secret: str) -> None:
    draft = path.with_name(".enrolment.new")
    with draft.open("w", encoding="utf-8") as stream:
        security.protect(str(draft))
        stream.write(secret)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
