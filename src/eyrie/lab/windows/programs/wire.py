# SPDX-License-Identifier: GPL-3.0-or-later
"""What the broker and the endpoint say to each other; both ends import this.

A line of JSON each way opens: the order, and its answer. After a `run` come frames of a letter, a length and
data: from the endpoint input (I), its end (E), Ctrl+C (C), kill (K); from the broker output (O, R), how many
bytes of input the program took (A), that it reads no more (B), its exit code (X).
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from typing import Any

PORT = 47001
"""Where Windows' own http.sys listens for WinRM beside 5985."""

REBOOT, OFF = 10, 11
"""How Windows ended, as an exit status of the desktop; any other means that it failed."""

WINDOW = 65536
"""Bytes of input that may be on the way to a program."""

_HEAD = struct.Struct("<cI")


class Channel:
    """One connection, seen from either end."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._file = connection.makefile("rb")
        self._writing = threading.Lock()

    def say(self, message: dict[str, Any]) -> None:
        """Send a line."""
        with self._writing:
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def read_order(self) -> dict[str, Any]:
        """Read a line."""
        message = json.loads(self._file.readline(1 << 20) or b"{}")
        if not isinstance(message, dict):
            raise ValueError("not a mapping")
        return message

    def send(self, kind: bytes, data: bytes = b"") -> None:
        """Send a frame."""
        with self._writing:
            self._socket.sendall(_HEAD.pack(kind, len(data)) + data)

    def read(self) -> tuple[bytes, bytes] | None:
        """Read a frame; None at the end of the connection."""
        head = self._file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        kind, size = _HEAD.unpack(head)
        data = self._file.read(size)
        return (kind, data) if len(data) == size else None

    def close(self) -> None:
        """End the connection, also for a thread that reads from it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def number(value: int) -> bytes:
    """Write a number as a frame's data."""
    return struct.pack("<I", value & 0xFFFFFFFF)


def as_number(data: bytes) -> int:
    """Read it back."""
    return int(struct.unpack("<I", data)[0])
