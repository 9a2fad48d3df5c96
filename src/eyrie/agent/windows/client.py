# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops the agent's service through the service manager, as `sc stop` would; needs an administrator."""

from __future__ import annotations

import ctypes

from eyrie.agent.windows.api import BOOL, DWORD, HANDLE, POINTER, TEXT, Function, code
from eyrie.agent.windows.scm import Status
from eyrie.agent.windows.scm_values import NAME, STOP

NOT_INSTALLED, NOT_ACTIVE = 1060, 1062
_CONNECT, _MAY_STOP = 0x1, 0x20

_open_manager = Function("advapi32", "OpenSCManagerW", HANDLE, TEXT, TEXT, DWORD)
_open_service = Function("advapi32", "OpenServiceW", HANDLE, HANDLE, TEXT, DWORD)
_control = Function("advapi32", "ControlService", BOOL, HANDLE, DWORD, POINTER)
_close = Function("advapi32", "CloseServiceHandle", BOOL, HANDLE)


def stop() -> bool:
    """Ask the service to stop; False if there is none, or it does not run."""
    manager = _open_manager(None, None, _CONNECT)
    try:
        service = _open_service(manager, NAME, _MAY_STOP)
        try:
            _control(service, STOP, ctypes.byref(Status()))
        finally:
            _close(service)
    except OSError as error:
        if code(error) in (NOT_INSTALLED, NOT_ACTIVE):
            return False
        raise
    finally:
        _close(manager)
    return True
