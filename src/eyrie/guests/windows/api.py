# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions of Windows by name. Sizes are spelt out, so that layouts can be tested on any system."""

from __future__ import annotations

import ctypes
import functools
from contextlib import contextmanager
from typing import Any, Iterator

from eyrie.guests.backend import GuestError

BOOL = ctypes.c_int32
DWORD = ctypes.c_uint32
HANDLE = ctypes.c_void_p
POINTER = ctypes.c_void_p
SIZE = ctypes.c_size_t
TEXT = ctypes.c_wchar_p
INVALID_HANDLE = ctypes.c_void_p(-1).value


@functools.lru_cache(maxsize=None)
def function(library: str, name: str, result: Any, *arguments: Any) -> Any:
    """Return a function of a system library; its last error is kept for `failure`."""
    load = getattr(ctypes, "WinDLL")  # noqa: B009 - exists on Windows only, where alone this is called
    found = load(library, use_last_error=True)[name]
    found.restype, found.argtypes = result, arguments
    return found


def kernel32(name: str, *arguments: Any, result: Any = BOOL) -> Any:
    """Return a function of kernel32."""
    return function("kernel32", name, result, *arguments)


def advapi32(name: str, *arguments: Any, result: Any = BOOL) -> Any:
    """Return a function of advapi32."""
    return function("advapi32", name, result, *arguments)


def failure(what: str, code: int | None = None, next_step: str = "") -> GuestError:
    """Return the error of a call that has just failed, in Windows' own words."""
    number = getattr(ctypes, "get_last_error")() if code is None else code  # noqa: B009 - as above
    words = str(getattr(ctypes, "FormatError")(number)).strip()  # noqa: B009 - as above
    return GuestError(what, seen=f"error {number}: {words}", wanted="success", next_step=next_step)


class Handle:
    """A kernel object's handle, closed once."""

    def __init__(self, value: Any) -> None:
        self.value: int | None = getattr(value, "value", value)

    def close(self) -> None:
        """Let go of the object."""
        value, self.value = self.value, None
        if value:
            kernel32("CloseHandle", HANDLE)(value)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


@contextmanager
def sid(text: str) -> Iterator[ctypes.c_void_p]:
    """Yield a security identifier in memory, made from its text."""
    made = ctypes.c_void_p()
    if not advapi32("ConvertStringSidToSidW", TEXT, POINTER)(text, ctypes.byref(made)):
        raise failure(f"security identifier {text}")
    try:
        yield made
    finally:
        kernel32("LocalFree", ctypes.c_void_p, result=ctypes.c_void_p)(made)
