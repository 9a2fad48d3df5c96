# SPDX-License-Identifier: GPL-3.0-or-later
"""One agent a desktop: two would start two guests."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from eyrie.errors import EyrieError


class Lock:
    """Held for as long as the process lives; the file names the holder."""

    def __init__(self, path: Path) -> None:
        try:
            if not path.parent.is_dir():
                path.parent.mkdir(parents=True)
                path.parent.chmod(0o755)  # whatever the umask: owners reach the socket in it
            self._fileno = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise EyrieError(
                f"{path}",
                seen=error.strerror,
                wanted="a lock file the agent can write",
                next_step="run it as root",
            ) from error
        try:
            fcntl.flock(self._fileno, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._fileno, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._fileno)
            raise EyrieError(
                "an agent already runs on this desktop",
                seen=f"process {holder}",
                wanted="one agent",
                next_step="leave it at that, or stop it with `systemctl stop eyrie-agent`",
            ) from error
        os.ftruncate(self._fileno, 0)
        os.pwrite(self._fileno, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let go."""
        os.close(self._fileno)
