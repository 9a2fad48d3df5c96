# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of Windows' service control manager: its controls become words for the loop, answered at once."""

from __future__ import annotations

import ctypes
import os
import threading
from collections import deque
from typing import Any, Callable, Iterable

from eyrie.agent.edges import LOOK
from eyrie.agent.log import ERROR, log
from eyrie.agent.windows.api import BOOL, DWORD, HANDLE, POINTER, TEXT, Function, code
from eyrie.agent.windows.mailbox import Mailbox
from eyrie.agent.windows.scm_values import (
    INTERROGATE,
    NAME,
    PARAMCHANGE,
    POWEREVENT,
    PRESHUTDOWN,
    RUNNING,
    SESSIONCHANGE,
    SHUTDOWN,
    START_PENDING,
    STOP,
    STOP_PENDING,
    STOPPED,
)
from eyrie.errors import EyrieError

ACCEPTED = 0x1 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100  # stop, shutdown, parameters, power, sessions, preshutdown
WAIT_HINT = 30_000  # milliseconds; renewed with every look while the guest leaves
PRESHUTDOWN_MILLISECONDS = 130_000
_OWN_PROCESS = 0x10
_CHANGE_CONFIG, _START = 0x2, 0x10
_FAILURE_ACTIONS, _PRESHUTDOWN = 2, 7
_SPECIFIC_ERROR, _NOT_IMPLEMENTED, _NOT_A_SERVICE = 1066, 120, 1063
_SUSPEND, _POWER_CHANGE = 4, 0xA
_RESUMES = (6, 7, 0x12)


class Status(ctypes.Structure):
    """SERVICE_STATUS."""

    _fields_ = tuple(
        (name, DWORD)
        for name in ("kind", "state", "accepted", "error", "specific_error", "checkpoint", "hint")
    )


class _FailureActions(ctypes.Structure):
    """SERVICE_FAILURE_ACTIONSW."""

    _fields_ = (
        ("reset_seconds", DWORD),
        ("message", TEXT),
        ("command", TEXT),
        ("count", DWORD),
        ("actions", POINTER),
    )


_open_manager = Function("advapi32", "OpenSCManagerW", HANDLE, TEXT, TEXT, DWORD)
_open_service = Function("advapi32", "OpenServiceW", HANDLE, HANDLE, TEXT, DWORD)
_change_config = Function("advapi32", "ChangeServiceConfig2W", BOOL, HANDLE, DWORD, POINTER)
_close = Function("advapi32", "CloseServiceHandle", BOOL, HANDLE)
_register = Function("advapi32", "RegisterServiceCtrlHandlerExW", HANDLE, TEXT, POINTER, POINTER)
_set_status = Function("advapi32", "SetServiceStatus", BOOL, HANDLE, POINTER)
_dispatch = Function("advapi32", "StartServiceCtrlDispatcherW", BOOL, POINTER)


def word(control: int, event: int) -> str | None:
    """Return what a control means to the loop, None if it means nothing to it."""
    if control in (STOP, SHUTDOWN, PRESHUTDOWN):
        return {STOP: "stop", SHUTDOWN: "shutdown", PRESHUTDOWN: "preshutdown"}[control]
    if control == PARAMCHANGE:
        return "reload"
    if control == POWEREVENT:
        if event == _SUSPEND:
            return "suspend"
        return "wake" if event in _RESUMES else LOOK
    return LOOK if control == SESSIONCHANGE else None


class Manager:
    """The connection with the service manager; tells it how the agent is, in the words the loop knows."""

    def __init__(self, report: Callable[[int, int, int, int], None]) -> None:
        self.mail = Mailbox()
        self._report = report  # state, checkpoint, wait hint, exit status
        self._state, self._checkpoint = START_PENDING, 0
        self._lock = threading.Lock()
        self._changes: deque[int] = deque()

    def control(self, control: int, event: int) -> int:
        """Take one control, in the service manager's own thread: it must not wait for anything."""
        found = word(control, event)
        if control == SESSIONCHANGE:
            self._changes.append(event)
        if control in (STOP, SHUTDOWN, PRESHUTDOWN):
            self._enter(STOP_PENDING)
        if found is not None:
            self.mail.put(found)
        return 0 if found is not None or control == INTERROGATE else _NOT_IMPLEMENTED

    def session_changes(self) -> Iterable[int]:
        """Return the session events since the last call."""
        while self._changes:
            yield self._changes.popleft()

    def tell(self, text: str) -> None:
        """Translate systemd's words."""
        if text == "READY=1":
            self._enter(RUNNING)
        elif text == "STOPPING=1":
            self._enter(STOP_PENDING)

    def alive(self, _now: float) -> None:
        """Show that a stop still goes on."""
        with self._lock:
            if self._state in (START_PENDING, STOP_PENDING):
                self._checkpoint += 1
                self._report(self._state, self._checkpoint, WAIT_HINT, 0)

    def ended(self, status: int) -> None:
        """Say that the service has ended, and how."""
        with self._lock:
            self._state = STOPPED
            self._report(STOPPED, 0, 0, status)

    def _enter(self, state: int) -> None:
        """Enter a state; who was told to stop never runs again."""
        with self._lock:
            if self._state == STOPPED or (self._state == STOP_PENDING and state == RUNNING):
                return
            self._state, self._checkpoint = state, 0 if state == RUNNING else self._checkpoint + 1
            self._report(state, self._checkpoint, 0 if state == RUNNING else WAIT_HINT, 0)


def serve(body: Callable[[Manager], None]) -> int:
    """Be the service: run `body` until it returns; its errors end the service with an exit status."""
    types = vars(ctypes)["WINFUNCTYPE"]
    main_type = types(None, DWORD, POINTER)
    handler_type = types(DWORD, DWORD, DWORD, POINTER, POINTER)
    kept: list[Any] = []  # what Windows calls must outlive the calls
    result = [1]

    def main(_count: int, _words: int) -> None:
        handle = 0

        def report(state: int, checkpoint: int, hint: int, status: int) -> None:
            accepted = ACCEPTED if state == RUNNING else 0
            error = _SPECIFIC_ERROR if status else 0
            _set_status(
                handle,
                ctypes.byref(Status(_OWN_PROCESS, state, accepted, error, status, checkpoint, hint)),
            )

        manager = Manager(report)
        handler = handler_type(lambda control, event, _data, _context: manager.control(control, event))
        kept.append(handler)
        handle = _register(NAME, ctypes.cast(handler, POINTER), None)
        manager.alive(0.0)
        try:
            result[0] = _guarded(body, manager)
        except BaseException as error:
            log(f"the agent ends on an error it has no answer to: {error!r}", ERROR)
            os._exit(2)  # without a word to the service manager, which starts again what it takes for crashed
        manager.ended(result[0])

    entry = main_type(main)
    kept.append(entry)
    table = (POINTER * 4)()  # two SERVICE_TABLE_ENTRYW, the second empty
    name = ctypes.create_unicode_buffer(NAME)
    table[0], table[1] = ctypes.addressof(name), ctypes.cast(entry, POINTER).value
    try:
        _dispatch(table)
    except OSError as error:
        if code(error) == _NOT_A_SERVICE:
            raise EyrieError(
                "`service` is for Windows' service manager alone",
                next_step="start it with `sc start EyrieAgent`, or use `run` to see it work",
            ) from error
        raise
    return result[0]


def expect_restart() -> None:
    """Have the service manager start the agent again when it crashes, and wait for its guest at shutdown."""
    manager = _open_manager(None, None, 0x1)
    try:
        service = _open_service(manager, NAME, _CHANGE_CONFIG | _START)  # a restart needs the right to start
        try:
            steps = (DWORD * 6)(1, 5_000, 1, 5_000, 1, 60_000)  # SC_ACTION_RESTART, after milliseconds
            actions = _FailureActions(86400, None, None, 3, ctypes.cast(steps, POINTER))
            _change_config(service, _FAILURE_ACTIONS, ctypes.byref(actions))
            _change_config(service, _PRESHUTDOWN, ctypes.byref(DWORD(PRESHUTDOWN_MILLISECONDS)))
        finally:
            _close(service)
    finally:
        _close(manager)


def _guarded(body: Callable[[Manager], None], manager: Manager) -> int:
    try:
        body(manager)
    except EyrieError as error:
        log(str(error), ERROR)
        return 1
    return 0
