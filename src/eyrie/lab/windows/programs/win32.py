# SPDX-License-Identifier: GPL-3.0-or-later
"""The few calls into Windows that the broker makes; on other systems only the import works."""

from __future__ import annotations

import ctypes
from typing import Any

KILL_ON_JOB_CLOSE = 0x2000
_EXTENDED_LIMITS = 9


def dll(name: str) -> Any:
    """Load a library of Windows."""
    return vars(ctypes)["WinDLL"](name, use_last_error=True)


def error() -> OSError:
    """Return the calling thread's last error."""
    failure: OSError = vars(ctypes)["WinError"](vars(ctypes)["get_last_error"]())
    return failure


def call(library: str, name: str, *arguments: Any, result: Any = ctypes.c_int) -> Any:
    """Call a function that returns nothing useful (0) where it fails; handles go as c_void_p."""
    function = getattr(dll(library), name)
    function.restype = result
    value = function(*arguments)
    if not value:
        raise error()
    return value


class Job:
    """Holds a process and all it starts; closing it ends them."""

    def __init__(self) -> None:
        self.handle = ctypes.c_void_p(
            call("kernel32", "CreateJobObjectW", None, None, result=ctypes.c_void_p)
        )
        limits = (ctypes.c_ubyte * 144)()
        limits[16:20] = list(KILL_ON_JOB_CLOSE.to_bytes(4, "little"))  # BasicLimitInformation.LimitFlags
        call("kernel32", "SetInformationJobObject", self.handle, _EXTENDED_LIMITS, limits, 144)

    def take(self, process: int) -> None:
        """Put a suspended process into the job, then let it go."""
        call("kernel32", "AssignProcessToJobObject", self.handle, ctypes.c_void_p(process))
        dll("ntdll").NtResumeProcess(ctypes.c_void_p(process))

    def end(self, code: int) -> None:
        """Kill everything in it."""
        dll("kernel32").TerminateJobObject(self.handle, code)

    def close(self) -> None:
        """Let go of it."""
        dll("kernel32").CloseHandle(self.handle)


def press_ctrl_c(pid: int) -> None:
    """Press Ctrl+C on the console of a process; for a process of its own, for it changes consoles."""
    kernel = dll("kernel32")
    kernel.FreeConsole()
    call("kernel32", "AttachConsole", pid)
    kernel.SetConsoleCtrlHandler(None, True)
    call("kernel32", "GenerateConsoleCtrlEvent", 0, 0)
