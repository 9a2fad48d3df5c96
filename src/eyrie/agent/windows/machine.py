# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine itself tells: does it run on battery, and how busy is it beside the guest?"""

from __future__ import annotations

import ctypes
import math
from typing import Callable, Tuple

from eyrie.agent.idle.base import Kind, Quiet, Reading
from eyrie.agent.windows.api import BOOL, BYTE, DWORD, POINTER, Function

BATTERY, MAINS = 0, 1
NO_BATTERY, UNKNOWN = 128, 255

PowerStatus = Tuple[int, int]  # ACLineStatus, BatteryFlag


class _Power(ctypes.Structure):
    """SYSTEM_POWER_STATUS."""

    _fields_ = (
        ("line", BYTE),
        ("battery", BYTE),
        ("percent", BYTE),
        ("saver", BYTE),
        ("seconds", DWORD),
        ("full_seconds", DWORD),
    )


_power = Function("kernel32", "GetSystemPowerStatus", BOOL, POINTER)
_times = Function("kernel32", "GetSystemTimes", BOOL, POINTER, POINTER, POINTER)


def power_status() -> PowerStatus:
    """Return whether the desktop is on mains, and what it says of its battery."""
    status = _Power()
    _power(ctypes.byref(status))
    return status.line, status.battery


class Power(Quiet):
    """Busy on battery: its owner needs every minute of it."""

    name = "power"
    person = False

    def __init__(self, status: Callable[[], PowerStatus] = power_status) -> None:
        self._status = status

    def read(self, now: float) -> Reading:
        """Return idle for ever on mains, not at all on battery."""
        del now
        try:
            line, battery = self._status()
        except OSError as error:
            return Reading(self.name, Kind.UNKNOWN, detail=f"Windows does not tell ({error})")
        if line == MAINS or (line != BATTERY and battery != UNKNOWN and battery & NO_BATTERY):
            return Reading(self.name, Kind.IDLE, math.inf, "on mains")
        if line == BATTERY:
            return Reading(self.name, Kind.IDLE, 0.0, "on battery")
        return Reading(self.name, Kind.UNKNOWN, detail="Windows does not know whether it is on battery")


def busy_seconds() -> float:
    """Return the processor seconds this desktop has used."""
    idle, kernel, user = ctypes.c_uint64(), ctypes.c_uint64(), ctypes.c_uint64()
    _times(ctypes.byref(idle), ctypes.byref(kernel), ctypes.byref(user))
    return (kernel.value - idle.value + user.value) / 1e7  # the kernel's time includes the idle one
