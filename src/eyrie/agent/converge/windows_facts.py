# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of a Windows desktop, by the Windows API alone: no program is started, no prose is parsed."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from eyrie.agent.converge.facts import Facts
from eyrie.agent.converge.registry import has_key, read_value

PAE, NX, FIRMWARE = 9, 12, 21  # PF_PAE_ENABLED, PF_NX_ENABLED, PF_VIRT_FIRMWARE_ENABLED
SESSION_MANAGER = r"SYSTEM\CurrentControlSet\Control\Session Manager"
CURRENT = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
PENDING = (
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired",
)


class _Version(ctypes.Structure):
    _fields_ = (
        ("size", ctypes.c_uint32),
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("build", ctypes.c_uint32),
        ("platform", ctypes.c_uint32),
        ("service_pack", ctypes.c_wchar * 128),
    )


class _Memory(ctypes.Structure):
    _fields_ = (
        ("size", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        ("total", ctypes.c_uint64),
        ("free", ctypes.c_uint64),
        *((name, ctypes.c_uint64) for name in ("a", "b", "c", "d", "e")),
    )


def _library(name: str) -> Any:
    return ctypes.WinDLL(name)  # type: ignore[attr-defined,unused-ignore]


class Windows:
    """Asks Windows."""

    def about(self) -> Facts:
        """Return what this desktop is."""
        present = _library("kernel32").IsProcessorFeaturePresent
        hypervisor, whpx = _hypervisor()
        return {
            "windows": {"version": _version(), "product": str(read_value(CURRENT, "ProductName") or "")},
            "architecture": os.environ.get(
                "PROCESSOR_ARCHITEW6432", os.environ.get("PROCESSOR_ARCHITECTURE", "")
            ),
            "memory_mib": memory_mib()[0],
            "processors": os.cpu_count() or 1,
            "virtualisation": {"hypervisor": hypervisor, "firmware": bool(present(FIRMWARE)), "whpx": whpx},
            "pae": bool(present(PAE)),
            "dep": bool(present(NX)),
        }

    def sessions(self) -> list[dict[str, Any]]:
        """Return who is logged in, as the agent's own reader of sessions sees it."""
        from eyrie.agent.converge.windows_agent import sessions

        return sessions()

    def boot_id(self) -> str:
        """Return the count of boots that Windows keeps, else the time of the boot."""
        count = read_value(SESSION_MANAGER + r"\Memory Management\PrefetchParameters", "BootId")
        return f"boot-{count}" if count is not None else f"booted-{_boot_minute()}"

    def reboot_pending(self) -> bool:
        """Return whether servicing, an update or a file in use waits for a restart."""
        return any(map(has_key, PENDING)) or bool(read_value(SESSION_MANAGER, "PendingFileRenameOperations"))

    def agent_state(self) -> str:
        """Ask the agent's service."""
        from eyrie.agent.converge.windows_agent import state

        return state()


def _version() -> str:
    # RtlGetVersion tells the truth; GetVersionEx what the program's manifest says it can bear.
    told = _Version()
    told.size = ctypes.sizeof(told)
    _library("ntdll").RtlGetVersion(ctypes.byref(told))
    return f"{told.major}.{told.minor}.{told.build}"


def memory_mib() -> tuple[int, int]:
    """Return how much memory there is, and how much of it nobody uses."""
    told = _Memory()
    told.size = ctypes.sizeof(told)
    _library("kernel32").GlobalMemoryStatusEx(ctypes.byref(told))
    return int(told.total) >> 20, int(told.free) >> 20


def _hypervisor() -> tuple[bool, str]:
    """Ask the Windows Hypervisor Platform; whether it works is known only by running it."""
    try:
        platform = _library("WinHvPlatform.dll")
        answer = ctypes.c_uint32()
        written = ctypes.c_uint32()
        failed = platform.WHvGetCapability(0, ctypes.byref(answer), 4, ctypes.byref(written))
    except (OSError, AttributeError):
        return False, "absent"
    return (not failed and bool(answer.value)), "not probed"


def _boot_minute() -> int:
    """Return when the system booted, to the minute: Windows moves the exact time when its clock is set."""
    buffer = (ctypes.c_int64 * 6)()
    _library("ntdll").NtQuerySystemInformation(3, ctypes.byref(buffer), ctypes.sizeof(buffer), None)
    return int(buffer[0]) // 600_000_000
