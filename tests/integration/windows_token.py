# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on Windows: asks what a token may."""

from __future__ import annotations

import ctypes

from eyrie.guests.windows.api import DWORD, HANDLE, POINTER, TEXT, Handle, advapi32
from eyrie.guests.windows.identity import ADMINISTRATORS

_GROUPS, _PRIVILEGES = 2, 3


def _ask(token: Handle, kind: int) -> bytes:
    buffer, length = ctypes.create_string_buffer(8192), DWORD()
    ask = advapi32("GetTokenInformation", HANDLE, ctypes.c_int, POINTER, DWORD, POINTER)
    assert ask(token.value, kind, buffer, len(buffer), ctypes.byref(length))
    _ask.kept = buffer  # type: ignore[attr-defined] - its pointers lead into it
    return buffer.raw


def privileges(token: Handle) -> list[str]:
    """Return the names of a token's privileges."""
    raw, names = _ask(token, _PRIVILEGES), []
    for at in range(int.from_bytes(raw[:4], "little")):
        luid = ctypes.create_string_buffer(raw[4 + 12 * at : 12 + 12 * at], 8)
        name, length = ctypes.create_unicode_buffer(100), DWORD(100)
        look = advapi32("LookupPrivilegeNameW", TEXT, POINTER, POINTER, POINTER)
        assert look(None, luid, name, ctypes.byref(length))
        names.append(name.value)
    return names


def administrators(token: Handle) -> str:
    """Return what being an administrator means in a token: nothing, denials only, or rights."""
    raw = _ask(token, _GROUPS)
    for at in range(int.from_bytes(raw[:4], "little")):
        entry = raw[8 + 16 * at : 24 + 16 * at]
        text = ctypes.c_void_p()
        name = advapi32("ConvertSidToStringSidW", ctypes.c_void_p, POINTER)
        assert name(int.from_bytes(entry[:8], "little"), ctypes.byref(text))
        if ctypes.wstring_at(text.value or 0) == ADMINISTRATORS:
            return "denials only" if int.from_bytes(entry[8:12], "little") & 0x10 else "rights"
    return "nothing"
