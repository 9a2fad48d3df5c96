# SPDX-License-Identifier: GPL-3.0-or-later
"""Explicit rights on what the agent makes: nothing inherits whatever the place happens to allow."""

from __future__ import annotations

import ctypes
import re
from types import TracebackType

from eyrie.agent.windows import accounts
from eyrie.agent.windows.api import BOOL, DWORD, POINTER, TEXT, Function, code
from eyrie.agent.windows.kernel import close_handle, current_process, local_free

# SYSTEM and administrators do everything, nobody else anything; files and folders below inherit it.
# They belong to the administrators, too, whichever of them made them: an owner may always change the rights.
PRIVATE = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
OWN_FILES = "O:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)"
READ_AND_WRITE = "0x0012019b"  # data and attributes, but never "make another instance of this pipe"
_OWNER, _DACL, _PROTECTED = 0x1, 0x4, 0x80000000
_ALREADY_EXISTS = 183

_parse = Function(
    "advapi32",
    "ConvertStringSecurityDescriptorToSecurityDescriptorW",
    BOOL,
    TEXT,
    DWORD,
    POINTER,
    POINTER,
)
_format = Function(
    "advapi32",
    "ConvertSecurityDescriptorToStringSecurityDescriptorW",
    BOOL,
    POINTER,
    DWORD,
    DWORD,
    POINTER,
    POINTER,
)
_set_file = Function("advapi32", "SetFileSecurityW", BOOL, TEXT, DWORD, POINTER)
_get_file = Function("advapi32", "GetFileSecurityW", BOOL, TEXT, DWORD, POINTER, DWORD, POINTER)
_owner = Function("advapi32", "GetSecurityDescriptorOwner", BOOL, POINTER, POINTER, POINTER)
_make_directory = Function("kernel32", "CreateDirectoryW", BOOL, TEXT, POINTER)


class Attributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES."""

    _fields_ = (("size", DWORD), ("descriptor", POINTER), ("inherit", BOOL))


class Rights:
    """A security descriptor from its text; lives as long as the `with` block."""

    def __init__(self, text: str) -> None:
        self.descriptor = POINTER()
        _parse(text, 1, ctypes.byref(self.descriptor), None)
        self.attributes = Attributes(ctypes.sizeof(Attributes), self.descriptor, False)

    def __enter__(self) -> Rights:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        local_free(self.descriptor)


def make_private(path: str) -> bool:
    """Make a folder with PRIVATE rights, or give them to the one that is there; True if it was made."""
    with Rights(PRIVATE) as rights:
        try:
            _make_directory(path, ctypes.byref(rights.attributes))
            return True
        except OSError as error:
            if code(error) != _ALREADY_EXISTS:
                raise
        _set_file(path, _OWNER | _DACL | _PROTECTED, rights.descriptor)
        return False


def protect(path: str, text: str = OWN_FILES) -> None:
    """Give a file these rights and no inherited ones."""
    with Rights(text) as rights:
        _set_file(path, _OWNER | _DACL | _PROTECTED, rights.descriptor)


def is_private(path: str) -> bool:
    """Tell whether nobody but the system and its administrators has had a way into a folder."""
    text = TEXT()
    _format(_read(path, _DACL), 1, _DACL, ctypes.byref(text), None)
    try:
        return admits_nobody_else(text.value or "")
    finally:
        local_free(ctypes.cast(text, POINTER))


def admits_nobody_else(text: str) -> bool:
    """Tell whether rights, as text, are protected from inheritance and name only the two."""
    control, entries = re.match(r"D:([A-Z]*)", text), re.findall(r"\(([^)]*)\)", text)
    if control is None or "P" not in control.group(1).replace("NO_ACCESS_CONTROL", "") or not entries:
        return False
    return all(entry.startswith("A;") and entry.rsplit(";", 1)[-1] in ("SY", "BA") for entry in entries)


def _read(path: str, what: int) -> ctypes.Array[ctypes.c_char]:
    room, needed = ctypes.create_string_buffer(65536), DWORD()  # the largest there can be
    _get_file(path, what, room, len(room), ctypes.byref(needed))
    return room


def owner_of(path: str) -> str:
    """Return who owns a file or folder."""
    room = _read(path, _OWNER)
    sid, defaulted = POINTER(), BOOL()
    _owner(room, ctypes.byref(sid), ctypes.byref(defaulted))
    return accounts.sid_text(sid.value)


def trusted(sid: str) -> bool:
    """Tell whether what this account made may be relied on: the system's, an administrator's or our own."""
    if sid in (accounts.SYSTEM, accounts.ADMINISTRATORS, accounts.TRUSTED_INSTALLER):
        return True
    token = POINTER()
    accounts.open_process_token(current_process(), accounts.TOKEN_QUERY, ctypes.byref(token))
    try:
        return sid == accounts.token_user(token.value or 0)
    finally:
        close_handle(token)
