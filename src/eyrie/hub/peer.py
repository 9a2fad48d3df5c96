# SPDX-License-Identifier: GPL-3.0-or-later
"""Where no socket can be handed to QEMU (Windows): a loopback port for one connection of one process."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import threading
import time
from pathlib import Path

WAIT_SECONDS = 20.0


class Loopback:
    """A listener that lets in one connection, of the process it is told to expect, and then is no more."""

    def __init__(self) -> None:
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(4)
        self._pid = 0
        self._known = threading.Event()
        self._closed = False
        self.strangers = 0

    @property
    def port(self) -> int:
        """Return the port QEMU is to connect to."""
        return int(self._listener.getsockname()[1])

    def expect(self, pid: int) -> None:
        """Tell which process it is; connections wait until this is known."""
        self._pid = pid
        self._known.set()

    def close(self) -> None:
        """Let nobody in any more."""
        self._closed = True
        self._known.set()

    def accept(self) -> socket.socket | None:
        """Return QEMU's connection, None when it did not come."""
        end = time.monotonic() + WAIT_SECONDS
        self._listener.settimeout(0.2)
        with self._listener:
            while not self._closed and time.monotonic() < end:
                try:
                    connection, peer = self._listener.accept()
                except socket.timeout:  # noqa: UP041 - TimeoutError only since Python 3.10
                    continue
                self._known.wait(max(0.0, end - time.monotonic()))
                if not self._closed and owner(peer[1], self.port) == self._pid:
                    return connection
                self.strangers += 1
                connection.close()
        return None


def owner(local: int, remote: int) -> int:
    """Return the process that holds the connection from loopback port `local` to `remote`; 0: unknown."""
    return _windows_owner(local, remote) if sys.platform == "win32" else _linux_owner(local, remote)


def _linux_owner(local: int, remote: int) -> int:
    ends = (f"0100007F:{local:04X}", f"0100007F:{remote:04X}")
    inodes = [
        words[9]
        for words in map(str.split, Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:])
        if (words[1], words[2]) == ends
    ]
    for inode in inodes:
        for entry in Path("/proc").glob("[0-9]*/fd/*"):
            with contextlib.suppress(OSError):
                if os.readlink(entry) == f"socket:[{inode}]":  # noqa: PTH115 - Path.readlink comes with 3.9
                    return int(entry.parts[2])
    return 0


def _windows_owner(local: int, remote: int) -> int:
    import ctypes

    library = ctypes.WinDLL("iphlpapi")  # type: ignore[attr-defined,unused-ignore]
    size = ctypes.c_ulong(0)
    table = ctypes.create_string_buffer(0)
    for _ in range(5):  # it may grow between two calls
        # 2: IPv4; 5: with their owners
        if library.GetExtendedTcpTable(table, ctypes.byref(size), 0, 2, 5, 0) == 0:
            return owner_in_table(table.raw, local, remote)
        table = ctypes.create_string_buffer(size.value)
    return 0


def owner_in_table(table: bytes, local: int, remote: int) -> int:
    """Find a loopback connection in Windows' MIB_TCPTABLE_OWNER_PID."""
    loopback = bytes((127, 0, 0, 1))
    count = struct.unpack_from("<I", table)[0] if len(table) >= 4 else 0
    for row in struct.iter_unpack("<I4sHxx4sHxxI", table[4 : 4 + 24 * count]):
        _state, from_address, from_port, to_address, to_port, pid = row
        ports = (socket.ntohs(from_port), socket.ntohs(to_port))
        if ports == (local, remote) and from_address == to_address == loopback:
            return int(pid)
    return 0
