# SPDX-License-Identifier: GPL-3.0-or-later
"""Named pipes whose every wait ends: by a result, by its time, or by being told to stop."""

from __future__ import annotations

import ctypes
import time

from eyrie.agent.windows.api import (
    BOOL,
    DWORD,
    HANDLE,
    POINTER,
    TEXT,
    Function,
    code,
    failure,
    invalid,
    last_error,
    never,
)
from eyrie.agent.windows.kernel import close_handle, create_event, wait_for
from eyrie.agent.windows.security import Rights

READ, WRITE = 0x1, 0x2  # FILE_READ_DATA, FILE_WRITE_DATA
_SYNCHRONIZE, _READ_ATTRIBUTES = 0x100000, 0x80
_OPEN_EXISTING = 3
_OVERLAPPED, _FIRST_INSTANCE = 0x40000000, 0x80000
_IDENTIFY_ONLY = (
    0x110000  # SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION: a server may ask who, never act as us
)
_REJECT_REMOTE = 0x8
_BUFFER = 65536
IO_PENDING, NO_DATA, BROKEN, CONNECTED, NOT_FOUND, BUSY = 997, 232, 109, 535, 2, 231
ACCESS_DENIED = 5


class _Overlapped(ctypes.Structure):
    """OVERLAPPED."""

    _fields_ = (
        ("internal", POINTER),
        ("internal_high", POINTER),
        ("offset", DWORD),
        ("offset_high", DWORD),
        ("event", HANDLE),
    )


_create_pipe = Function(
    "kernel32",
    "CreateNamedPipeW",
    HANDLE,
    TEXT,
    *[DWORD] * 6,
    POINTER,
    fails=invalid,
)
_create_file = Function(
    "kernel32",
    "CreateFileW",
    HANDLE,
    TEXT,
    DWORD,
    DWORD,
    POINTER,
    DWORD,
    DWORD,
    HANDLE,
    fails=invalid,
)
_connect = Function("kernel32", "ConnectNamedPipe", BOOL, HANDLE, POINTER, fails=never)
_read = Function("kernel32", "ReadFile", BOOL, HANDLE, POINTER, DWORD, POINTER, POINTER, fails=never)
_write = Function("kernel32", "WriteFile", BOOL, HANDLE, POINTER, DWORD, POINTER, POINTER, fails=never)
_result = Function("kernel32", "GetOverlappedResult", BOOL, HANDLE, POINTER, POINTER, BOOL)
_cancel = Function("kernel32", "CancelIoEx", BOOL, HANDLE, POINTER, fails=never)
_client = Function("kernel32", "GetNamedPipeClientProcessId", BOOL, HANDLE, POINTER)


class Stopped(Exception):
    """The wait was ended by the stop event."""


class Pipe:
    """One end of a pipe; `stop` is an event that ends every wait."""

    def __init__(self, handle: int, stop: int | None = None) -> None:
        self.handle = handle
        self._stop = stop
        self._event: int = create_event(None, True, False, None)

    def wait_for_client(self, seconds: float | None = None) -> None:
        """Wait until somebody is at the other end."""
        work = self._begin()
        if not _connect(self.handle, ctypes.byref(work)):
            if last_error() == CONNECTED:
                return
            self._check(last_error(), "ConnectNamedPipe")
        self._finish(work, seconds, "a caller")

    def client_process(self) -> int:
        """Return the process at the other end."""
        pid = DWORD()
        _client(self.handle, ctypes.byref(pid))
        return int(pid.value)

    def read(self, seconds: float) -> bytes:
        """Return what has come, nothing when the other end is closed; TimeoutError when nothing comes."""
        room, work = ctypes.create_string_buffer(4096), self._begin()
        try:
            if not _read(self.handle, room, len(room), None, ctypes.byref(work)):
                self._check(last_error(), "ReadFile")
            count = self._finish(work, seconds, "words")
        except OSError as error:
            if code(error) == BROKEN:
                return b""
            raise
        return room.raw[:count]

    def write(self, data: bytes, seconds: float) -> None:
        """Send all of it."""
        until = time.monotonic() + seconds
        while data:
            work = self._begin()
            if not _write(self.handle, data, len(data), None, ctypes.byref(work)):
                self._check(last_error(), "WriteFile")
            data = data[self._finish(work, max(0.0, until - time.monotonic()), "room") :]

    def _begin(self) -> _Overlapped:
        return _Overlapped(None, None, 0, 0, self._event)

    def _check(self, number: int, what: str) -> None:
        if number != IO_PENDING:
            raise failure(what, number)

    def _finish(self, work: _Overlapped, seconds: float | None, wanted: str) -> int:
        """Return the bytes moved. What is under way is waited for: it writes into our memory."""
        handles = (self._event,) if self._stop is None else (self._event, self._stop)
        first = wait_for(handles, 0xFFFFFFFF if seconds is None else int(seconds * 1000))
        count = DWORD()
        if first != 0:
            _cancel(self.handle, ctypes.byref(work))
        try:
            _result(self.handle, ctypes.byref(work), ctypes.byref(count), True)
        except OSError:
            if first == 0:
                raise
            if first == 1:
                raise Stopped from None
            raise TimeoutError(f"no {wanted} within {seconds} s") from None
        return int(count.value)

    def close(self) -> None:
        """Hang up."""
        close_handle(self.handle)
        close_handle(self._event)


def listen(name: str, rights: str, stop: int, first: bool, both_ways: bool) -> Pipe:
    """Make one instance of a pipe for callers of this desktop alone."""
    mode = (3 if both_ways else 1) | _OVERLAPPED | (_FIRST_INSTANCE if first else 0)
    with Rights(rights) as held:
        attributes = ctypes.byref(held.attributes)
        many = 64 if both_ways else 1
        handle = _create_pipe(name, mode, _REJECT_REMOTE, many, _BUFFER, _BUFFER, 0, attributes)
    return Pipe(handle, stop)


def call(name: str, access: int, seconds: float) -> Pipe:
    """Open a pipe as its client, waiting for a free instance."""
    until = time.monotonic() + seconds
    wanted = access | _SYNCHRONIZE | _READ_ATTRIBUTES
    while True:
        try:
            flags = _OVERLAPPED | _IDENTIFY_ONLY
            return Pipe(_create_file(name, wanted, 0, None, _OPEN_EXISTING, flags, None))
        except OSError as error:
            if code(error) != BUSY or time.monotonic() >= until:
                raise
        time.sleep(0.05)
