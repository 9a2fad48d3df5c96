# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's service as the service control manager has it; no program is started for that."""

from __future__ import annotations

import contextlib
import ctypes
import re
import time
from pathlib import Path
from typing import Iterator

from eyrie.agent.converge.apply import LOST
from eyrie.agent.windows.api import (
    BOOL,
    DWORD,
    HANDLE,
    POINTER,
    TEXT,
    Function,
    code,
    failure,
    last_error,
    never,
)
from eyrie.agent.windows.scm_values import NAME, PARAMCHANGE, RUNNING, STOPPED

_CONNECT, _CONFIGURATION, _QUERY, _START, _PAUSE = 0x1, 0x1, 0x4, 0x10, 0x40
_NO_SERVICE, _ALREADY_RUNNING = 1060, 1056
START_SECONDS = 30.0

_manager = Function("advapi32", "OpenSCManagerW", HANDLE, TEXT, TEXT, DWORD)
_open = Function("advapi32", "OpenServiceW", HANDLE, HANDLE, TEXT, DWORD)
_close = Function("advapi32", "CloseServiceHandle", BOOL, HANDLE)
_configuration = Function(
    "advapi32", "QueryServiceConfigW", BOOL, HANDLE, POINTER, DWORD, POINTER, fails=never
)
_query = Function("advapi32", "QueryServiceStatus", BOOL, HANDLE, POINTER)
_control = Function("advapi32", "ControlService", BOOL, HANDLE, DWORD, POINTER)
_start = Function("advapi32", "StartServiceW", BOOL, HANDLE, DWORD, POINTER)


class _Configuration(ctypes.Structure):
    """QUERY_SERVICE_CONFIGW up to what is read here."""

    _fields_ = (("kind", DWORD), ("start", DWORD), ("errors", DWORD), ("line", TEXT))


class WindowsService:
    """EyrieAgent."""

    def state(self) -> str:
        """Return `running`, `stopped`, or that it or its program is gone."""
        try:
            with _service(_QUERY | _CONFIGURATION) as service:
                if _state(service) != STOPPED:
                    return "running"
                return "stopped" if whole(_line(service)) else LOST
        except OSError as error:
            if code(error) == _NO_SERVICE:
                return LOST
            raise

    def start(self) -> str:
        """Start it and wait until it runs."""
        try:
            with _service(_QUERY | _START) as service:
                try:
                    _start(service, 0, None)
                except OSError as error:
                    if code(error) != _ALREADY_RUNNING:
                        raise
                until = time.monotonic() + START_SECONDS
                while _state(service) != RUNNING:
                    if time.monotonic() > until:
                        return f"not running {START_SECONDS:.0f} s after it was started"
                    time.sleep(0.1)
        except OSError as error:
            return f"it cannot be started: {error}"
        return ""

    def reread(self) -> str:
        """Tell it that its parameters changed."""
        status = (DWORD * 7)()
        try:
            with _service(_PAUSE) as service:
                _control(service, PARAMCHANGE, ctypes.byref(status))
        except OSError as error:
            return (
                "" if code(error) == _NO_SERVICE else f"it cannot be told to read its configuration: {error}"
            )
        return ""


@contextlib.contextmanager
def _service(rights: int) -> Iterator[int]:
    manager = _manager(None, None, _CONNECT)
    try:
        service = _open(manager, NAME, rights)
        try:
            yield service
        finally:
            _close(service)
    finally:
        _close(manager)


def whole(line: str) -> bool:
    """Whether the program and the agent that a service's command line names are there."""
    words = [quoted or plain for quoted, plain in re.findall(r'"([^"]+)"|(\S+)', line)]
    return all(Path(word).exists() for word in words if word.lower().endswith((".exe", ".pyz")))


def _line(service: int) -> str:
    needed = DWORD()
    _configuration(service, None, 0, ctypes.byref(needed))
    buffer = ctypes.create_string_buffer(needed.value)
    if not _configuration(service, buffer, needed, ctypes.byref(needed)):
        raise failure("QueryServiceConfigW", last_error())
    return str(_Configuration.from_buffer(buffer).line)


def _state(service: int) -> int:
    status = (DWORD * 7)()
    _query(service, ctypes.byref(status))
    return int(status[1])
