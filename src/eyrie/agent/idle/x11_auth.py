# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the cookie of a local X display lies: as its server or its clients were told when started."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Iterator

from eyrie.agent.idle.x11_wire import COOKIE, parse_xauthority

LARGEST = 1 << 20


def cookies(display: int, server_pid: int, proc: Path = Path("/proc")) -> list[bytes]:
    """Return the cookies to try for a display, the likeliest first, each once."""
    found: list[bytes] = []
    for owner, path in _candidates(display, server_pid, proc):
        for entry in parse_xauthority(_read(path, owner)):
            fits = entry.display in (b"", str(display).encode())
            if fits and entry.name == COOKIE and entry.data not in found:
                found.append(entry.data)
    return found


def _candidates(display: int, server_pid: int, proc: Path) -> Iterator[tuple[int, Path]]:
    """Yield (user, file): the server's own `-auth`, then XAUTHORITY of processes on the display."""
    server = proc / str(server_pid)
    words = _words(server / "cmdline")
    for before, word in zip(words, words[1:]):
        if before == "-auth":
            yield _user(server), Path(word)
    for process in proc.iterdir():
        if process.name.isdigit():
            settings = dict(word.split("=", 1) for word in _words(process / "environ") if "=" in word)
            if settings.get("DISPLAY", "").split(".")[0] == f":{display}":
                home = Path(settings.get("HOME", "/")) / ".Xauthority"
                yield _user(process), Path(settings.get("XAUTHORITY") or home)


def _words(path: Path) -> list[str]:
    """Return the words of a process file; nothing when the process is gone or not ours to see."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return []


def _user(process: Path) -> int:
    try:
        return process.stat().st_uid
    except OSError:
        return -1


def _read(path: Path, owner: int) -> bytes:
    """Return the file, if its owner is who named it: nobody may make root read another's secrets."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return b""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != owner or status.st_size > LARGEST:
            return b""
        return os.read(descriptor, LARGEST)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
