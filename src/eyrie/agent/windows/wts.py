# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions of this desktop, as Remote Desktop Services tell them (Windows 7 and up)."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass

from eyrie.agent.windows.api import BOOL, DWORD, HANDLE, LONG, POINTER, TEXT, Function, never

STATES = (
    "active", "connected", "connect-query", "shadow", "disconnected",
    "idle", "listen", "reset", "down", "init",
)  # fmt: skip
LOCK, UNLOCK = 0, 1
_INFO_EX, _PROTOCOL = 25, 16
_CONSOLE = 0

_enumerate = Function("wtsapi32", "WTSEnumerateSessionsW", BOOL, HANDLE, DWORD, DWORD, POINTER, POINTER)
_query = Function(
    "wtsapi32",
    "WTSQuerySessionInformationW",
    BOOL,
    HANDLE,
    DWORD,
    ctypes.c_int,
    POINTER,
    POINTER,
)
_free = Function("wtsapi32", "WTSFreeMemory", None, POINTER, fails=never)


@dataclass(frozen=True)
class Session:
    """One session with whoever is logged on to it."""

    id: int
    state: str
    user: str = ""  # empty: nobody, as in the services' own session
    domain: str = ""
    locked: bool | None = None  # None: not known
    remote: bool = False
    disconnected_seconds: float | None = None  # since its screen and keyboard were taken away, if known


class _Entry(ctypes.Structure):
    """WTS_SESSION_INFOW."""

    _fields_ = (("id", DWORD), ("station", TEXT), ("state", ctypes.c_int))


class _Info(ctypes.Structure):
    """WTSINFOEXW with its level 1; UTF-16 is kept as numbers, for wchar_t is wider elsewhere."""

    _fields_ = (
        ("level", DWORD),
        ("_padding", DWORD),
        ("id", DWORD),
        ("state", ctypes.c_int32),
        ("flags", LONG),
        ("station", ctypes.c_uint16 * 33),
        ("user", ctypes.c_uint16 * 21),
        ("domain", ctypes.c_uint16 * 18),
        ("logon", ctypes.c_int64),
        ("connect", ctypes.c_int64),
        ("disconnect", ctypes.c_int64),
        ("last_input", ctypes.c_int64),
        ("current", ctypes.c_int64),
    )


def parse(data: bytes, version: tuple[int, int], remote: bool = False) -> Session:
    """Read a WTSINFOEXW; ValueError when it is none."""
    if len(data) < ctypes.sizeof(_Info):
        raise ValueError(f"{len(data)} bytes where a session's {ctypes.sizeof(_Info)} were expected")
    info = _Info.from_buffer_copy(data)
    if info.level != 1 or not 0 <= info.state < len(STATES):
        raise ValueError(f"session information of level {info.level}, state {info.state}")
    state = STATES[info.state]
    away = None
    if state == "disconnected" and 0 < info.disconnect <= info.current:
        away = (info.current - info.disconnect) / 1e7
    locked = is_locked(info.flags, version)
    return Session(info.id, state, _text(info.user), _text(info.domain), locked, remote, away)


def is_locked(flags: int, version: tuple[int, int]) -> bool | None:
    """Return whether a session's flags say locked; Windows 7 and 2008 R2 say it the wrong way round."""
    if flags not in (LOCK, UNLOCK):
        return None
    return (flags == LOCK) is not (version == (6, 1))


def _text(units: ctypes.Array[ctypes.c_uint16]) -> str:
    return bytes(units).decode("utf-16-le", "replace").split("\0", 1)[0]


def sessions() -> list[Session]:
    """Return all sessions; raises OSError or ValueError when Windows does not tell."""
    entries, count = POINTER(), DWORD()
    _enumerate(None, 0, 1, ctypes.byref(entries), ctypes.byref(count))
    try:
        found = ctypes.cast(entries, ctypes.POINTER(_Entry))
        listed = [(int(found[i].id), int(found[i].state)) for i in range(count.value)]
    finally:
        _free(entries)
    return [_session(number, state) for number, state in listed]


def _session(number: int, state: int) -> Session:
    """Return one session; those that only wait for callers have nothing to ask for."""
    name = STATES[state] if 0 <= state < len(STATES) else str(state)
    if name in ("listen", "down", "init", "reset"):
        return Session(number, name)
    windows = vars(sys)["getwindowsversion"]()
    protocol = _ask(number, _PROTOCOL)
    remote = int.from_bytes(protocol[:2], "little") != _CONSOLE
    return parse(_ask(number, _INFO_EX), (windows.major, windows.minor), remote)


def _ask(number: int, what: int) -> bytes:
    place, size = POINTER(), DWORD()
    _query(None, number, what, ctypes.byref(place), ctypes.byref(size))
    try:
        return ctypes.string_at(place, size.value)
    finally:
        _free(place)
