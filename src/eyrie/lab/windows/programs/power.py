# SPDX-License-Identifier: GPL-3.0-or-later
"""An orderly end: every service is told, and waited for, before the power goes.

Windows sends SERVICE_CONTROL_SHUTDOWN itself. Nobody else may, and Wine's service manager never does; so here
each running service that accepts it is told to stop.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any

from .win32 import dll

MANAGER_ALL = 0xF003F
SERVICE_ALL = 0xF01FF
WIN32_SERVICES = 0x30
ACTIVE = 1
STOP = 1
STOPPED = 1
ACCEPT_STOP = 1
SECONDS = 20.0


class _Status(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint32)
        for name in ("type", "state", "accepted", "code", "own_code", "checkpoint", "wait", "pid", "flags")
    ]


class _Entry(ctypes.Structure):
    _fields_ = [("name", ctypes.c_wchar_p), ("display", ctypes.c_wchar_p), ("status", _Status)]


# Wine's own, which every process of it leans on.
KEPT = ("rpcss", "plugplay", "winedevice", "mountmgr", "eventlog")


def stop_services(note: Callable[[str], None]) -> None:
    """Stop what accepts it, all at once, and wait for the ends."""
    library = dll("advapi32")
    for name in ("OpenSCManagerW", "OpenServiceW"):
        getattr(library, name).restype = ctypes.c_void_p
    manager = ctypes.c_void_p(library.OpenSCManagerW(None, None, MANAGER_ALL))
    stopping = []
    for name in _running(library, manager):
        service = ctypes.c_void_p(library.OpenServiceW(manager, name, SERVICE_ALL))
        if service.value and library.ControlService(service, STOP, ctypes.byref(_Status())):
            stopping.append((name, service))
    end = time.monotonic() + SECONDS
    for name, service in stopping:
        while (left := _state(library, service)) != STOPPED and time.monotonic() < end:
            time.sleep(0.05)
        note(
            f"service {name}: {'stopped' if left == STOPPED else f'still in state {left} after {SECONDS} s'}"
        )


def _running(library: Any, manager: Any) -> list[str]:
    needed, count, resume = ctypes.c_uint32(), ctypes.c_uint32(), ctypes.c_uint32()
    told = [ctypes.byref(each) for each in (needed, count, resume)]
    library.EnumServicesStatusExW(manager, 0, WIN32_SERVICES, ACTIVE, None, 0, *told, None)
    buffer = ctypes.create_string_buffer(needed.value + 4096)
    resume.value = 0
    if not library.EnumServicesStatusExW(
        manager, 0, WIN32_SERVICES, ACTIVE, buffer, len(buffer), *told, None
    ):
        return []
    entries = ctypes.cast(buffer, ctypes.POINTER(_Entry))
    found = [entries[index] for index in range(count.value)]
    return [
        str(each.name)
        for each in found
        if each.status.accepted & ACCEPT_STOP and not str(each.name).lower().startswith(KEPT)
    ]


def _state(library: Any, service: Any) -> int:
    status = _Status()
    library.QueryServiceStatus(service, ctypes.byref(status))
    return int(status.state)
