# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Windows keeps the names of connections: those that the stand-in for DevCon made are there."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

NETWORK = r"SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}"


def rename_connection(old: str, new: str) -> bool:
    """Rename it; False if there is none of this name."""
    if sys.platform != "win32":
        return False  # the lab's own tests run on Linux too
    registry: Any = importlib.import_module("winreg")
    access = registry.KEY_READ | registry.KEY_WRITE
    for path in _connections(registry):
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, path, 0, access) as key:
            if registry.QueryValueEx(key, "Name")[0].lower() == old.lower():
                registry.SetValueEx(key, "Name", 0, registry.REG_SZ, new)
                return True
    return False


def _connections(registry: Any) -> Iterator[str]:
    try:
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, NETWORK) as adapters:
            for index in range(registry.QueryInfoKey(adapters)[0]):
                yield rf"{NETWORK}\{registry.EnumKey(adapters, index)}\Connection"
    except FileNotFoundError:
        return
