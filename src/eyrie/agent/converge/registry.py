# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads of HKEY_LOCAL_MACHINE, as a 64-bit program sees it."""

from __future__ import annotations

import importlib
from typing import Any


def _winreg() -> Any:
    return importlib.import_module("winreg")  # there is none to check types with elsewhere


def read_value(key: str, name: str) -> Any:
    """Return a value, None if there is none."""
    winreg = _winreg()
    try:
        with winreg.OpenKey(
            winreg.HKEY_LOCAL_MACHINE, key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY
        ) as opened:
            return winreg.QueryValueEx(opened, name)[0]
    except OSError:
        return None


def has_key(key: str) -> bool:
    """Return whether a key exists."""
    winreg = _winreg()
    try:
        winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY).Close()
    except OSError:
        return False
    return True
