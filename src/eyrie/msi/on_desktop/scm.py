# SPDX-License-Identifier: GPL-3.0-or-later
"""The desktop's service and our key of its registry, by Windows' own functions."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes import wintypes

assert sys.platform == "win32"

import winreg  # noqa: E402 - only there

SERVICE = "EyrieAgent"
KEY = r"Software\Eyrie\Agent"

STOPPED, RUNNING = 1, 4
QUERY_CONFIG, CHANGE_CONFIG, QUERY_STATUS, START = 1, 2, 4, 16
_CONNECT = 1
_NO_CHANGE = 0xFFFFFFFF
_NO_SUCH_SERVICE, _ALREADY_RUNNING = 1060, 1056

_text, _number, _handle = wintypes.LPCWSTR, wintypes.DWORD, wintypes.HANDLE
_api = ctypes.WinDLL("advapi32", use_last_error=True)
_api.OpenSCManagerW.argtypes, _api.OpenSCManagerW.restype = [_text, _text, _number], _handle
_api.OpenServiceW.argtypes, _api.OpenServiceW.restype = [_handle, _text, _number], _handle
_api.CloseServiceHandle.argtypes = [_handle]
_api.QueryServiceStatus.argtypes = [_handle, ctypes.c_void_p]
_api.StartServiceW.argtypes = [_handle, _number, ctypes.c_void_p]
_api.QueryServiceConfigW.argtypes = [_handle, ctypes.c_void_p, _number, ctypes.POINTER(_number)]
_api.ChangeServiceConfigW.argtypes = [
    *(_handle, _number, _number, _number, _text, _text),
    *(ctypes.c_void_p, _text, _text, _text, _text),
]


class _ServiceConfig(ctypes.Structure):
    """QUERY_SERVICE_CONFIGW up to what is read here."""

    _fields_ = (
        ("service_type", wintypes.DWORD),
        ("start_type", wintypes.DWORD),
        ("error_control", wintypes.DWORD),
        ("image_path", wintypes.LPWSTR),
    )


@contextmanager
def service(access: int) -> Iterator[int | None]:
    """Open the service; None if there is none."""
    manager = _checked(_api.OpenSCManagerW(None, None, _CONNECT))
    try:
        handle = _api.OpenServiceW(manager, SERVICE, access)
        if not handle and ctypes.get_last_error() != _NO_SUCH_SERVICE:
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            yield handle
        finally:
            if handle:
                _api.CloseServiceHandle(handle)
    finally:
        _api.CloseServiceHandle(manager)


def configured(handle: int) -> str:
    """Return the command line of the service."""
    needed = wintypes.DWORD()
    _api.QueryServiceConfigW(handle, None, 0, ctypes.byref(needed))
    buffer = ctypes.create_string_buffer(needed.value)
    _checked(_api.QueryServiceConfigW(handle, buffer, needed, ctypes.byref(needed)))
    return str(_ServiceConfig.from_buffer(buffer).image_path)


def configure(handle: int, image: str) -> None:
    """Change the command line of the service, and nothing else."""
    same = (_NO_CHANGE, _NO_CHANGE, _NO_CHANGE)
    _checked(_api.ChangeServiceConfigW(handle, *same, image, None, None, None, None, None, None))


def start(handle: int) -> None:
    """Start the service unless it runs."""
    if not _api.StartServiceW(handle, 0, None) and ctypes.get_last_error() != _ALREADY_RUNNING:
        raise ctypes.WinError(ctypes.get_last_error())


def state() -> int:
    """Return the state of the service; one that is not there is stopped."""
    status = (wintypes.DWORD * 7)()
    with service(QUERY_STATUS) as handle:
        if not handle:
            return STOPPED
        _checked(_api.QueryServiceStatus(handle, status))
    return int(status[1])


def get_value(name: str) -> str | None:
    """Read a value of our key."""
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, KEY) as key:
            return str(winreg.QueryValueEx(key, name)[0])
    except OSError:
        return None


def set_value(name: str, value: str | None) -> None:
    """Write a value of our key; None removes it."""
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, KEY) as key:
        if value is not None:
            winreg.SetValueEx(key, name, 0, winreg.REG_SZ, value)
            return
        with suppress(OSError):
            winreg.DeleteValue(key, name)


def flush() -> None:
    """Have the service and our key on the disk: by itself Windows takes some seconds."""
    for path in (rf"SYSTEM\CurrentControlSet\Services\{SERVICE}", KEY):
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
            winreg.FlushKey(key)


def remove_keys() -> None:
    """Remove our key and all below it, and the one above if nothing else is in it."""
    for path in (KEY, KEY.rpartition("\\")[0]):
        with suppress(OSError):
            winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, path)


def _checked(answer: int) -> int:
    if not answer:
        raise ctypes.WinError(ctypes.get_last_error())
    return answer
