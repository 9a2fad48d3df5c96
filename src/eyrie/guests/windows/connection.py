# SPDX-License-Identifier: GPL-3.0-or-later
"""A loopback socket that belongs to QEMU and nobody else.

QEMU's monitor and channel have no password, and any user of the desktop can reach a loopback port. So it is
the agent that listens, once, for one connection, and Windows is asked whose the other end is.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import time
from typing import Callable

from eyrie.guests.backend import GuestError
from eyrie.guests.windows.api import BOOL, DWORD, POINTER, failure, function

LOOPBACK = "127.0.0.1"
OWNER_SECONDS = 1.0
_ROW = struct.Struct("<I4s2s2x4s2s2xI")  # MIB_TCPROW_OWNER_PID
_OWNER_PID_ALL = 5
_TOO_SMALL = 122


class Listener:
    """Waits on a port of the system's choice for the one connection there will be."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # Without it another process may bind the same port on Windows and be the one that QEMU reaches.
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
        if exclusive is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        self._socket.bind((LOOPBACK, 0))
        self._socket.listen(1)
        self.port: int = self._socket.getsockname()[1]

    def accept(self, pid: int, deadline: float, ended: Callable[[], bool]) -> socket.socket:
        """Return the connection of process `pid`; any other's is refused, and that is the end of it."""
        try:
            connection, peer = self._wait(deadline, ended)
        finally:
            self.close()
        try:
            owner = _owner_in_time(peer, (LOOPBACK, self.port))
        except BaseException:
            connection.close()
            raise
        if owner != pid:
            connection.close()
            raise GuestError(
                "connection to the guest's control port",
                seen=f"process {owner}" if owner else "a process that is gone",
                wanted=f"QEMU, process {pid}",
                next_step="find out what that program is: it tried to get at the guest before QEMU did",
            )
        return connection

    def _wait(self, deadline: float, ended: Callable[[], bool]) -> tuple[socket.socket, tuple[str, int]]:
        self._socket.settimeout(0.05)
        while True:
            try:
                return self._socket.accept()
            except socket.timeout:
                if ended() or time.monotonic() > deadline:
                    raise GuestError("QEMU", seen="no connection", wanted="one to the agent") from None

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def find_owner(table: bytes, local: tuple[str, int], remote: tuple[str, int]) -> int | None:
    """Return the process at the `local` end of a connection, from Windows' table of all of them."""
    (rows,) = struct.unpack_from("<I", table)
    wanted = _key(local) + _key(remote)
    for at in range(4, 4 + rows * _ROW.size, _ROW.size):
        _state, *ends, pid = _ROW.unpack_from(table, at)
        if tuple(ends) == wanted:
            return int(pid)
    return None


def _key(end: tuple[str, int]) -> tuple[bytes, bytes]:
    return socket.inet_aton(end[0]), struct.pack(">H", end[1])


def _owner_in_time(local: tuple[str, int], remote: tuple[str, int]) -> int | None:
    """Ask until the connection shows up in the table, which may take a moment."""
    deadline = time.monotonic() + OWNER_SECONDS
    while True:
        owner = find_owner(_tcp_table(), local, remote)
        if owner or time.monotonic() > deadline:
            return owner
        time.sleep(0.05)


def _tcp_table() -> bytes:
    ask = function("iphlpapi", "GetExtendedTcpTable", DWORD, POINTER, POINTER, BOOL, DWORD, DWORD, DWORD)
    length = DWORD(65536)
    for _ in range(5):  # the table may grow between two calls
        buffer = ctypes.create_string_buffer(length.value)
        code = ask(buffer, ctypes.byref(length), 0, int(socket.AF_INET), _OWNER_PID_ALL, 0)
        if code == 0:
            return buffer.raw
        if code != _TOO_SMALL:
            break
    raise failure("Windows' table of connections", code)
