# SPDX-License-Identifier: GPL-3.0-or-later
"""What only a program inside a session can ask: when was the last input, may the user be interrupted?"""

from __future__ import annotations

import ctypes

from eyrie.agent.windows.api import BOOL, DWORD, LONG, POINTER, Function, never

_WRAP = 1 << 32  # milliseconds; ticks have 32 bits, 49.7 days
_BACKWARDS = 60_000  # an input that much "later" than now is one whose clock went back a little


class _LastInput(ctypes.Structure):
    """LASTINPUTINFO."""

    _fields_ = (("size", DWORD), ("tick", DWORD))


_last_input = Function("user32", "GetLastInputInfo", BOOL, POINTER)
_tick_count = Function("kernel32", "GetTickCount", DWORD, fails=never)
_state = Function("shell32", "SHQueryUserNotificationState", LONG, POINTER, fails=never)


def elapsed(now: int, then: int) -> int:
    """Return the milliseconds between two ticks, whatever was wrapped around or went back a little."""
    passed = (now - then) % _WRAP
    return 0 if passed > _WRAP - _BACKWARDS else passed


def last_input() -> tuple[int, float]:
    """Return the tick of this session's last input, and how many seconds ago that was."""
    info = _LastInput(ctypes.sizeof(_LastInput), 0)
    _last_input(ctypes.byref(info))
    return info.tick, elapsed(_tick_count(), info.tick) / 1000.0


def notification_state() -> int:
    """Return whether the user may be interrupted (QUERY_USER_NOTIFICATION_STATE), 0 when not known."""
    state = ctypes.c_int()
    return 0 if _state(ctypes.byref(state)) != 0 else int(state.value)
