# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom QEMU runs as: never the agent's LocalSystem, never with a privilege or an administrator's rights."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from eyrie.guests.windows.api import DWORD, HANDLE, POINTER, TEXT, Handle, advapi32, failure, kernel32, sid

LOCAL_SYSTEM = "S-1-5-18"
ADMINISTRATORS = "S-1-5-32-544"
LOW_INTEGRITY = "S-1-16-4096"
_TOKEN_ALL = 0xF01FF
_TOKEN_USER, _TOKEN_PRIVILEGES, _TOKEN_INTEGRITY = 1, 3, 25
_CHANGE_NOTIFY = 23  # the right to walk through directories
_DISABLE_MAX_PRIVILEGE = 0x1  # leaves only that one
_INTEGRITY = 0x20  # SE_GROUP_INTEGRITY


class SidAndAttributes(ctypes.Structure):
    """SID_AND_ATTRIBUTES, which is also TOKEN_USER and TOKEN_MANDATORY_LABEL."""

    _fields_ = (("sid", ctypes.c_void_p), ("attributes", DWORD))


class Privilege(ctypes.Structure):
    """LUID_AND_ATTRIBUTES."""

    _fields_ = (("number", DWORD), ("high", ctypes.c_int32), ("attributes", DWORD))


@dataclass
class Identity:
    """The account, as a token and as a name for access lists."""

    token: Handle
    sid: str
    desktop: str | None  # "" for an account that has no right to the agent's own window station


def guest_identity(low_integrity: bool) -> Identity:
    """Return the identity of QEMU.

    LocalSystem without its groups could read no program file at all, so a service's guest is LocalService;
    an agent that runs as somebody else (in the foreground) hands its own account down. Either way without
    privileges and administrator's rights. Low integrity lets it write nowhere; WHPX's device may need more.
    """
    with _own_token() as own:
        account = _user(own)
        if account != LOCAL_SYSTEM:
            return Identity(_restricted(own, low_integrity), account, None)
    with _local_service() as service:
        return Identity(_restricted(service, low_integrity), _user(service), "")


def _own_token() -> Handle:
    token = HANDLE()
    current = kernel32("GetCurrentProcess", result=HANDLE)()
    if not advapi32("OpenProcessToken", HANDLE, DWORD, POINTER)(current, _TOKEN_ALL, ctypes.byref(token)):
        raise failure("the agent's own token")
    return Handle(token)


def _local_service() -> Handle:
    """Log LocalService on, which needs no password but only LocalSystem's rights."""
    token = HANDLE()
    log_on = advapi32("LogonUserW", TEXT, TEXT, TEXT, DWORD, DWORD, POINTER)
    as_service, default_provider = 5, 0
    if not log_on("LocalService", "NT AUTHORITY", None, as_service, default_provider, ctypes.byref(token)):
        raise failure("logging LocalService on for the guest")
    return Handle(token)


def _restricted(token: Handle, low_integrity: bool) -> Handle:
    with sid(ADMINISTRATORS) as administrators:
        disabled = SidAndAttributes(administrators, 0)
        privileges = _privileges(token)
        result = HANDLE()
        restrict = advapi32(
            *("CreateRestrictedToken", HANDLE, DWORD, DWORD, POINTER, DWORD, POINTER, DWORD, POINTER, POINTER)
        )
        if not restrict(
            *(token.value, _DISABLE_MAX_PRIVILEGE, 1, ctypes.byref(disabled)),
            *(len(privileges), privileges, 0, None, ctypes.byref(result)),
        ):
            raise failure("the guest's restricted token")
    handle = Handle(result)
    if low_integrity:
        _lower(handle)
    return handle


def _privileges(token: Handle) -> ctypes.Array[Privilege]:
    """Return all privileges but one, to be taken away by name: not every Windows heeds the flag."""
    raw = _ask(token, _TOKEN_PRIVILEGES)
    count = DWORD.from_buffer(raw).value
    held = (Privilege * count).from_buffer(raw, ctypes.sizeof(DWORD))
    taken = [each for each in held if each.number != _CHANGE_NOTIFY]
    return (Privilege * len(taken))(*taken)


def _lower(token: Handle) -> None:
    with sid(LOW_INTEGRITY) as low:
        label = SidAndAttributes(low, _INTEGRITY)
        put = advapi32("SetTokenInformation", HANDLE, ctypes.c_int, POINTER, DWORD)
        if not put(token.value, _TOKEN_INTEGRITY, ctypes.byref(label), ctypes.sizeof(label)):
            error = failure("low integrity of the guest's token")
            token.close()
            raise error


def _ask(token: Handle, kind: int) -> ctypes.Array[ctypes.c_char]:
    buffer, length = ctypes.create_string_buffer(4096), DWORD()
    ask = advapi32("GetTokenInformation", HANDLE, ctypes.c_int, POINTER, DWORD, POINTER)
    if not ask(token.value, kind, buffer, len(buffer), ctypes.byref(length)):
        raise failure("what a token may")
    return buffer


def _user(token: Handle) -> str:
    buffer = _ask(token, _TOKEN_USER)
    text = ctypes.c_void_p()
    name = advapi32("ConvertSidToStringSidW", ctypes.c_void_p, POINTER)
    if not name(SidAndAttributes.from_buffer(buffer).sid, ctypes.byref(text)):
        raise failure("the user of a token")
    try:
        return ctypes.wstring_at(text.value or 0)
    finally:
        kernel32("LocalFree", ctypes.c_void_p, result=ctypes.c_void_p)(text)
