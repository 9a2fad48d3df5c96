# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk that a release lies on, by Windows' own functions."""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes
from pathlib import Path

assert sys.platform == "win32"

_GENERIC_WRITE, _SHARE_ALL, _OPEN_EXISTING = 0x40000000, 7, 3
_NONE = wintypes.HANDLE(-1).value

_api = ctypes.WinDLL("kernel32", use_last_error=True)
_api.CreateFileW.argtypes = [
    *(wintypes.LPCWSTR, wintypes.DWORD, wintypes.DWORD, ctypes.c_void_p),
    *(wintypes.DWORD, wintypes.DWORD, wintypes.HANDLE),
]
_api.CreateFileW.restype = wintypes.HANDLE
_api.FlushFileBuffers.argtypes = [wintypes.HANDLE]
_api.CloseHandle.argtypes = [wintypes.HANDLE]


def flush(path: Path) -> None:
    """Have all that was written to a path's disk there; files of running programs go no other way."""
    volume = rf"\\.\{path.drive}"
    handle = _api.CreateFileW(volume, _GENERIC_WRITE, _SHARE_ALL, None, _OPEN_EXISTING, 0, None)
    if handle == _NONE:
        raise ctypes.WinError(ctypes.get_last_error())
    try:
        if not _api.FlushFileBuffers(handle):
            raise ctypes.WinError(ctypes.get_last_error())
    finally:
        _api.CloseHandle(handle)
