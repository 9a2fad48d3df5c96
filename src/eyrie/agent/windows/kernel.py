# SPDX-License-Identifier: GPL-3.0-or-later
"""Handles, events and clocks: what several parts need of kernel32."""

from __future__ import annotations

import ctypes
import time

from eyrie.agent.clocks import Moment
from eyrie.agent.windows.api import BOOL, DWORD, HANDLE, POINTER, TEXT, Function, never

WAIT_TIMEOUT, WAIT_FAILED, FOREVER = 0x102, 0xFFFFFFFF, 0xFFFFFFFF
BELOW_NORMAL = 0x4000

close_handle = Function("kernel32", "CloseHandle", BOOL, HANDLE)
create_event = Function("kernel32", "CreateEventW", HANDLE, POINTER, BOOL, BOOL, TEXT)
set_event = Function("kernel32", "SetEvent", BOOL, HANDLE)
local_free = Function("kernel32", "LocalFree", HANDLE, HANDLE, fails=never)
terminate_process = Function("kernel32", "TerminateProcess", BOOL, HANDLE, DWORD)
current_process = Function("kernel32", "GetCurrentProcess", HANDLE, fails=never)
current_thread = Function("kernel32", "GetCurrentThread", HANDLE, fails=never)
_wait = Function(
    "kernel32",
    "WaitForMultipleObjects",
    DWORD,
    DWORD,
    POINTER,
    BOOL,
    DWORD,
    fails=lambda answer: answer == WAIT_FAILED,
)
_set_priority = Function("kernel32", "SetPriorityClass", BOOL, HANDLE, DWORD)
_unbiased = Function("kernel32", "QueryUnbiasedInterruptTime", BOOL, POINTER)


def wait_for(handles: tuple[int, ...], milliseconds: int) -> int | None:
    """Return the index of the first handle that is set, None if none is in time."""
    array = (HANDLE * len(handles))(*handles)
    answer = _wait(len(handles), array, False, milliseconds)
    return None if answer == WAIT_TIMEOUT else int(answer)


def step_back() -> None:
    """Let everything of the owner's go first; the guest, at idle priority, still never holds the agent up."""
    _set_priority(current_process(), BELOW_NORMAL)


def moment() -> Moment:
    """Read the clocks; monotonic time counts sleep on Windows, and what it overcounts tells of it."""
    awake = ctypes.c_uint64()
    _unbiased(ctypes.byref(awake))
    monotonic = time.monotonic()
    return Moment(monotonic, 2 * monotonic - awake.value / 1e7, time.time())
