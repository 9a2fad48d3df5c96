# SPDX-License-Identifier: GPL-3.0-or-later
"""A service as the service control manager has it; no program is started for that."""

from __future__ import annotations

import contextlib
import ctypes
from dataclasses import dataclass
from typing import Iterator

from eyrie.agent.windows.api import BOOL, DWORD, HANDLE, POINTER, TEXT, Function

QUERY, START, STOP = 0x4, 0x10, 0x20  # rights
NOT_INSTALLED, NOT_ACTIVE, ALREADY_RUNNING = 1060, 1062, 1056  # errors
_CONNECT, _PROCESS_INFORMATION = 0x1, 0

_manager = Function("advapi32", "OpenSCManagerW", HANDLE, TEXT, TEXT, DWORD)
_open = Function("advapi32", "OpenServiceW", HANDLE, HANDLE, TEXT, DWORD)
_close = Function("advapi32", "CloseServiceHandle", BOOL, HANDLE)
_query = Function("advapi32", "QueryServiceStatusEx", BOOL, HANDLE, DWORD, POINTER, DWORD, POINTER)
_control = Function("advapi32", "ControlService", BOOL, HANDLE, DWORD, POINTER)
_start = Function("advapi32", "StartServiceW", BOOL, HANDLE, DWORD, POINTER)


@dataclass(frozen=True)
class Status:
    """What a service says of itself."""

    state: int
    pid: int  # 0: none


@contextlib.contextmanager
def opened(name: str, rights: int) -> Iterator[int]:
    """Yield a service's handle; raises OSError."""
    manager = _manager(None, None, _CONNECT)
    try:
        service = _open(manager, name, rights)
        try:
            yield service
        finally:
            _close(service)
    finally:
        _close(manager)


def status(service: int) -> Status:
    """Ask it."""
    told, needed = (DWORD * 9)(), DWORD()  # SERVICE_STATUS_PROCESS
    _query(service, _PROCESS_INFORMATION, ctypes.byref(told), ctypes.sizeof(told), ctypes.byref(needed))
    return Status(int(told[1]), int(told[7]))


def start(service: int) -> None:
    """Have it started."""
    _start(service, 0, None)


def control(service: int, what: int) -> None:
    """Send it a control."""
    _control(service, what, ctypes.byref((DWORD * 7)()))
