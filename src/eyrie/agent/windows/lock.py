# SPDX-License-Identifier: GPL-3.0-or-later
"""One agent a desktop: two would start two guests."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from eyrie.agent import hints
from eyrie.agent.windows.api import BOOL, DWORD, HANDLE, POINTER, TEXT, Function, code, invalid
from eyrie.agent.windows.kernel import close_handle
from eyrie.errors import EyrieError

_SHARING_VIOLATION = 32
_READ_WRITE, _SHARE_READ, _OPEN_ALWAYS = 0xC0000000, 0x1, 4

_create = Function(
    "kernel32", "CreateFileW", HANDLE, TEXT, DWORD, DWORD, POINTER, DWORD, DWORD, HANDLE, fails=invalid
)
_write = Function("kernel32", "WriteFile", BOOL, HANDLE, POINTER, DWORD, POINTER, POINTER)


class Lock:
    """Held for as long as the process lives; others can read who holds it, and nothing else."""

    def __init__(self, path: Path) -> None:
        try:
            self._handle: int = _create(str(path), _READ_WRITE, _SHARE_READ, None, _OPEN_ALWAYS, 0, None)
        except OSError as error:
            if code(error) != _SHARING_VIOLATION:
                raise EyrieError(
                    f"{path}",
                    seen=str(error),
                    wanted="a lock file the agent can write",
                    next_step="run it as an administrator",
                ) from error
            raise EyrieError(
                "an agent already runs on this desktop",
                seen=f"process {_holder(path)}",
                wanted="one agent",
                next_step=f"leave it at that, or stop it with `{hints.STOP}`",
            ) from error
        # Longer than any number before it, for the file is not made anew.
        data, done = f"{os.getpid():<20}\n".encode(), DWORD()
        _write(self._handle, data, len(data), ctypes.byref(done), None)

    def release(self) -> None:
        """Let go."""
        close_handle(self._handle)


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip() or "unknown"
    except (OSError, UnicodeDecodeError):
        return "unknown"
