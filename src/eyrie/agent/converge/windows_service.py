# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's service as the service control manager has it; no program is started for that."""

from __future__ import annotations

import ctypes
import re
import time
from pathlib import Path

from eyrie.agent.converge.apply import LOST
from eyrie.agent.windows import services
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

_CONFIGURATION, _PAUSE = 0x1, 0x40  # rights
START_SECONDS = 30.0

_configuration = Function(
    "advapi32", "QueryServiceConfigW", BOOL, HANDLE, POINTER, DWORD, POINTER, fails=never
)


class _Configuration(ctypes.Structure):
    """QUERY_SERVICE_CONFIGW up to what is read here."""

    _fields_ = (("kind", DWORD), ("start", DWORD), ("errors", DWORD), ("line", TEXT))


class WindowsService:
    """EyrieAgent."""

    def state(self) -> str:
        """Return `running`, `stopped`, or that it or its program is gone."""
        try:
            with services.opened(NAME, services.QUERY | _CONFIGURATION) as service:
                if services.status(service).state != STOPPED:
                    return "running"
                return "stopped" if whole(_line(service)) else LOST
        except OSError as error:
            if code(error) == services.NOT_INSTALLED:
                return LOST
            raise

    def start(self) -> str:
        """Start it and wait until it runs."""
        try:
            with services.opened(NAME, services.QUERY | services.START) as service:
                try:
                    services.start(service)
                except OSError as error:
                    if code(error) != services.ALREADY_RUNNING:
                        raise
                until = time.monotonic() + START_SECONDS
                while services.status(service).state != RUNNING:
                    if time.monotonic() > until:
                        return f"not running {START_SECONDS:.0f} s after it was started"
                    time.sleep(0.1)
        except OSError as error:
            return f"it cannot be started: {error}"
        return ""

    def reread(self) -> str:
        """Tell it that its parameters changed."""
        try:
            with services.opened(NAME, _PAUSE) as service:
                services.control(service, PARAMCHANGE)
        except OSError as error:
            return (
                ""
                if code(error) == services.NOT_INSTALLED
                else f"it cannot be told to read its configuration: {error}"
            )
        return ""


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
