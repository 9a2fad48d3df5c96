# SPDX-License-Identifier: GPL-3.0-or-later
"""News from other threads for the loop, which can wait for sockets only."""

from __future__ import annotations

import contextlib
import socket
from collections import deque


class Mailbox:
    """Anybody puts, from any thread; the loop alone takes."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._waiting: deque[str] = deque()

    def put(self, name: str) -> None:
        """Leave a word and wake the loop; never waits."""
        self._waiting.append(name)
        try:
            self._write.send(b"x")
        except OSError:  # full, so it wakes anyway, or closed, so nobody takes any more
            return

    def fileno(self) -> int:
        """Return the descriptor that is readable when there are words."""
        return self._read.fileno()

    def waker(self) -> int:
        """Return the descriptor that Python itself writes to when a signal comes."""
        return self._write.fileno()

    def take(self) -> list[str]:
        """Return the words since the last call."""
        with contextlib.suppress(OSError):  # nothing to wake for, though there may still be words
            self._read.recv(4096)
        words = []
        while self._waiting:
            words.append(self._waiting.popleft())
        return words

    def close(self) -> None:
        """Take no more."""
        self._read.close()
        self._write.close()
