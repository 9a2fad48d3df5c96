# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who: security identifiers, and the one behind a token."""

from __future__ import annotations

import ctypes

from eyrie.agent.windows.api import BOOL, DWORD, HANDLE, POINTER, TEXT, Function, never
from eyrie.agent.windows.kernel import local_free

ADMINISTRATORS, SYSTEM = "S-1-5-32-544", "S-1-5-18"
TRUSTED_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
TOKEN_ASSIGN_PRIMARY, TOKEN_DUPLICATE, TOKEN_QUERY = 0x1, 0x2, 0x8
_TOKEN_USER = 1

open_process_token = Function("advapi32", "OpenProcessToken", BOOL, HANDLE, DWORD, POINTER)
_sid_to_text = Function("advapi32", "ConvertSidToStringSidW", BOOL, POINTER, POINTER)
_text_to_sid = Function("advapi32", "ConvertStringSidToSidW", BOOL, TEXT, POINTER)
_token_information = Function(
    "advapi32", "GetTokenInformation", BOOL, HANDLE, ctypes.c_int, POINTER, DWORD, POINTER
)
_is_member = Function("advapi32", "CheckTokenMembership", BOOL, HANDLE, POINTER, POINTER)
_look_up = Function(
    "advapi32",
    "LookupAccountSidW",
    BOOL,
    TEXT,
    POINTER,
    TEXT,
    POINTER,
    TEXT,
    POINTER,
    POINTER,
    fails=never,
)


def sid_text(sid: int | None) -> str:
    """Return the text of a security identifier at an address."""
    text = TEXT()
    _sid_to_text(sid, ctypes.byref(text))
    try:
        return text.value or ""
    finally:
        local_free(ctypes.cast(text, POINTER))


def token_user(token: int) -> str:
    """Return whose token it is."""
    room, used = ctypes.create_string_buffer(256), DWORD()  # a SID has 68 bytes at most
    _token_information(token, _TOKEN_USER, room, len(room), ctypes.byref(used))
    return sid_text(POINTER.from_buffer(room).value)


def token_is_administrator(token: int) -> bool:
    """Tell whether an impersonated token holds the administrators' rights now, not merely in reserve."""
    sid, member = POINTER(), BOOL()
    _text_to_sid(ADMINISTRATORS, ctypes.byref(sid))
    try:
        _is_member(token, sid, ctypes.byref(member))
    finally:
        local_free(sid)
    return bool(member.value)


def name_of(sid: str) -> str:
    """Return the account's name as its owner knows it, the identifier itself when nobody knows it."""
    place = POINTER()
    try:
        _text_to_sid(sid, ctypes.byref(place))
    except OSError:
        return f"user {sid}"
    name, domain = ctypes.create_unicode_buffer(256), ctypes.create_unicode_buffer(256)
    name_size, domain_size, kind = DWORD(256), DWORD(256), DWORD()
    sizes = ctypes.byref(name_size), ctypes.byref(domain_size)
    try:
        found = _look_up(None, place, name, sizes[0], domain, sizes[1], ctypes.byref(kind))
    finally:
        local_free(place)
    if not found or not name.value:
        return f"user {sid}"
    return f"{domain.value}\\{name.value}" if domain.value else name.value
