# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells that a file was read, when it is read: the kernel's inotify, for which Python has no module."""

from __future__ import annotations

import ctypes
import os
import struct

IN_ACCESS, IN_Q_OVERFLOW, IN_IGNORED = 0x1, 0x4000, 0x8000
EVENT = struct.Struct("@iIII")  # struct inotify_event: watch, mask, cookie, length of a name
BATCH = 4096 * EVENT.size


class Reads:
    """Watches on files; OSError at the start where the kernel grants none."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fileno: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fileno < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is something to take."""
        return self._fileno

    def watch(self, path: str) -> int | None:
        """Return the watch on a file (all names of one file share it), None if none is granted."""
        number: int = self._libc.inotify_add_watch(self._fileno, os.fsencode(path), IN_ACCESS)
        return number if number >= 0 else None

    def forget(self, watch: int) -> None:
        """Watch a file no longer."""
        self._libc.inotify_rm_watch(self._fileno, watch)

    def take(self) -> list[tuple[int, int]]:
        """Return what happened since the last call, as pairs of watch and mask."""
        try:
            data = os.read(self._fileno, BATCH)
        except BlockingIOError:
            return []
        return [(watch, mask) for watch, mask, _cookie, _length in EVENT.iter_unpack(data)]

    def close(self) -> None:
        """Let go of all watches."""
        os.close(self._fileno)
