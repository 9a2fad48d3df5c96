# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may read what: directories with access lists of their own, made in one step."""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from eyrie.guests.windows.api import BOOL, DWORD, POINTER, TEXT, advapi32, failure, kernel32, sid

_READ = 0x1200A9  # read, list and run; nothing else
_FILE, _DACL, _GRANT, _INHERITED_BY_ALL = 1, 0x4, 1, 3


class SecurityAttributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES."""

    _fields_ = (("length", DWORD), ("descriptor", ctypes.c_void_p), ("inherit", BOOL))


class Trustee(ctypes.Structure):
    """TRUSTEE_W; all its zeros mean: named by security identifier."""

    _fields_ = (
        ("multiple", ctypes.c_void_p),
        ("operation", ctypes.c_int),
        ("form", ctypes.c_int),
        ("type", ctypes.c_int),
        ("name", ctypes.c_void_p),
    )


class ExplicitAccess(ctypes.Structure):
    """EXPLICIT_ACCESS_W."""

    _fields_ = (("rights", DWORD), ("mode", ctypes.c_int), ("inheritance", DWORD), ("trustee", Trustee))


def access_list(reader: str) -> str:
    """Return, in SDDL: SYSTEM and administrators may do all, `reader` may read, nobody else anything."""
    return f"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;{_READ:#x};;;{reader})"


def make_directory(path: Path, reader: str) -> None:
    """Make a directory that is private from its first moment."""
    with _descriptor(access_list(reader)) as descriptor:
        attributes = SecurityAttributes(ctypes.sizeof(SecurityAttributes), descriptor, 0)
        if not kernel32("CreateDirectoryW", TEXT, POINTER)(str(path), ctypes.byref(attributes)):
            raise failure(f"making {path}")


def let_read(path: Path, reader: str) -> None:
    """Add to a directory's access list, and to all in it, that `reader` may read; all else stays."""
    held, descriptor, new = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    free = kernel32("LocalFree", ctypes.c_void_p, result=ctypes.c_void_p)
    get = advapi32(
        *("GetNamedSecurityInfoW", TEXT, ctypes.c_int, DWORD, POINTER, POINTER, POINTER, POINTER, POINTER),
        result=DWORD,
    )
    merge = advapi32("SetEntriesInAclW", DWORD, POINTER, ctypes.c_void_p, POINTER, result=DWORD)
    put = advapi32(
        *("SetNamedSecurityInfoW", TEXT, ctypes.c_int, DWORD, POINTER, POINTER, ctypes.c_void_p, POINTER),
        result=DWORD,
    )
    with sid(reader) as trustee:
        entry = ExplicitAccess(_READ, _GRANT, _INHERITED_BY_ALL, Trustee(name=trustee))
        try:
            code = (
                get(str(path), _FILE, _DACL, None, None, ctypes.byref(held), None, ctypes.byref(descriptor))
                or merge(1, ctypes.byref(entry), held, ctypes.byref(new))
                or put(str(path), _FILE, _DACL, None, None, new, None)
            )
        finally:
            free(descriptor)
            free(new)
    if code:
        raise failure(f"letting the guest read {path}", code)


@contextmanager
def _descriptor(text: str) -> Iterator[ctypes.c_void_p]:
    made = ctypes.c_void_p()
    make = advapi32("ConvertStringSecurityDescriptorToSecurityDescriptorW", TEXT, DWORD, POINTER, POINTER)
    if not make(text, 1, ctypes.byref(made), None):
        raise failure(f"access list {text}")
    try:
        yield made
    finally:
        kernel32("LocalFree", ctypes.c_void_p, result=ctypes.c_void_p)(made)
