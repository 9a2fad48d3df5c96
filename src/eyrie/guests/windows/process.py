# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts QEMU: held before its first instruction, inside its job, with the handles named and no other."""

from __future__ import annotations

import ctypes
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Sequence

from eyrie.guests.backend import GuestError
from eyrie.guests.windows.access import SecurityAttributes
from eyrie.guests.windows.api import (
    BOOL,
    DWORD,
    HANDLE,
    INVALID_HANDLE,
    POINTER,
    SIZE,
    TEXT,
    Handle,
    advapi32,
    failure,
    function,
    kernel32,
)
from eyrie.guests.windows.identity import Identity
from eyrie.guests.windows.job import IDLE_PRIORITY, KILLED, Job

_SUSPENDED, _UNICODE_ENVIRONMENT, _EXTENDED_STARTUP = 0x4, 0x400, 0x80000
# No console at all: a hidden one (CREATE_NO_WINDOW) is a second process, where the job allows only one.
_DETACHED = 0x8
_USE_HANDLES = 0x100  # STARTF_USESTDHANDLES
_HANDLE_LIST = 0x20002  # PROC_THREAD_ATTRIBUTE_HANDLE_LIST
_READ, _WRITE, _SHARE_ALL = 0x80000000, 0x40000000, 0x7
_CREATE_ALWAYS, _OPEN_EXISTING = 2, 3
# To end it and put it into a job, to suspend it, to set its priority, to ask it, to wait for its end.
_CONTROL = 0x1 | 0x100 | 0x800 | 0x200 | 0x400 | 0x100000
_PATH = 32768  # characters


class StartupInfo(ctypes.Structure):
    """STARTUPINFOEXW."""

    _fields_ = (
        ("size", DWORD),
        ("reserved", ctypes.c_void_p),
        ("desktop", ctypes.c_wchar_p),
        ("title", ctypes.c_void_p),
        ("numbers", DWORD * 7),
        ("flags", DWORD),
        ("show", ctypes.c_uint16),
        ("reserved_size", ctypes.c_uint16),
        ("reserved_bytes", ctypes.c_void_p),
        ("standard", HANDLE * 3),
        ("attributes", ctypes.c_void_p),
    )


class ProcessInformation(ctypes.Structure):
    """PROCESS_INFORMATION."""

    _fields_ = (("process", HANDLE), ("thread", HANDLE), ("pid", DWORD), ("tid", DWORD))


class Process:
    """A process, by its handle: its number can never come to mean another."""

    def __init__(self, made: ProcessInformation) -> None:
        self.pid = int(made.pid)
        self._handle = Handle(made.process)
        self._thread = Handle(made.thread)
        self._seconds = 0.0
        self._status: int | None = None

    def resume(self) -> None:
        """Let it begin."""
        if kernel32("ResumeThread", HANDLE, result=DWORD)(self._thread.value) == 0xFFFFFFFF:
            raise failure("starting QEMU's first thread")
        self._thread.close()

    def join(self, job: Job) -> None:
        """Put it into its job."""
        job.assign(self._handle)

    def stand_back(self) -> None:
        """Give it the lowest priority; asked for at its birth already, which not every Windows heeds."""
        kernel32("SetPriorityClass", HANDLE, DWORD)(self._handle.value, IDLE_PRIORITY)

    def wait(self, seconds: float) -> int | None:
        """Return its exit status, or None if it still runs after so long."""
        if self._status is None and self._handle.value:
            wait = kernel32("WaitForSingleObject", HANDLE, DWORD, result=DWORD)
            if wait(self._handle.value, int(seconds * 1000)) == 0:
                self.cpu_seconds()
                code = DWORD()
                kernel32("GetExitCodeProcess", HANDLE, POINTER)(self._handle.value, ctypes.byref(code))
                self._status = code.value
        return self._status

    def program(self) -> str:
        """Return the path of the program that it runs."""
        path, size = ctypes.create_unicode_buffer(_PATH), DWORD(_PATH)
        name = kernel32("QueryFullProcessImageNameW", HANDLE, DWORD, TEXT, POINTER)
        if not name(self._handle.value, 0, path, ctypes.byref(size)):
            raise failure(f"program of process {self.pid}")
        return path.value

    def hold(self) -> None:
        """Suspend all its threads."""
        self._all_threads("NtSuspendProcess")

    def release(self) -> None:
        """Let them go on."""
        self._all_threads("NtResumeProcess")

    def _all_threads(self, name: str) -> None:
        status = function("ntdll", name, DWORD, HANDLE)(self._handle.value)
        if status:
            raise GuestError(
                f"{name} of process {self.pid}",
                seen=f"status {status:#x}",
                wanted="its threads suspended or going",
            )

    def terminate(self) -> None:
        """End it at once."""
        if self._handle.value:
            kernel32("TerminateProcess", HANDLE, DWORD)(self._handle.value, KILLED)

    def cpu_seconds(self) -> float:
        """Return its user and system time; the last known once it is let go."""
        times = (ctypes.c_uint64 * 4)()  # creation, exit, kernel, user
        places = [ctypes.byref(times, 8 * at) for at in range(4)]
        ask = kernel32("GetProcessTimes", HANDLE, POINTER, POINTER, POINTER, POINTER)
        if self._handle.value and ask(self._handle.value, *places):
            self._seconds = max(self._seconds, (times[2] + times[3]) / 1e7)
        return self._seconds

    def close(self) -> None:
        """Let go of it."""
        self._thread.close()
        self._handle.close()


def opened(pid: int) -> Process:
    """Return a process that somebody else started."""
    handle = kernel32("OpenProcess", DWORD, BOOL, DWORD, result=HANDLE)(_CONTROL, 0, pid)
    if not handle:
        raise failure(f"opening process {pid}")
    return Process(ProcessInformation(process=handle, pid=pid))


def launch(command: Sequence[str], identity: Identity, output: Path, job: Job) -> Process:
    """Return the process, suspended and in its job; `output` takes what it says."""
    line = ctypes.create_unicode_buffer(subprocess.list2cmdline(command))
    environment = ctypes.create_unicode_buffer(_environment(command[0]))
    flags = _SUSPENDED | _UNICODE_ENVIRONMENT | _EXTENDED_STARTUP | _DETACHED | IDLE_PRIORITY
    create = advapi32(
        *("CreateProcessAsUserW", HANDLE, TEXT, TEXT, POINTER, POINTER, BOOL, DWORD, POINTER, TEXT),
        *(POINTER, POINTER),
    )
    with ExitStack() as stack:
        nothing = stack.enter_context(_open("NUL", _READ, _OPEN_EXISTING))
        words = stack.enter_context(_open(str(output), _WRITE, _CREATE_ALWAYS))
        inherited = (HANDLE * 2)(nothing.value, words.value)
        info = StartupInfo(size=ctypes.sizeof(StartupInfo), desktop=identity.desktop, flags=_USE_HANDLES)
        info.standard = (HANDLE * 3)(nothing.value, words.value, words.value)
        attributes = _handle_list(inherited)
        info.attributes = ctypes.addressof(attributes)
        made = ProcessInformation()
        done = create(
            *(identity.token.value, command[0], line, None, None, 1, flags, environment),
            *(str(Path(command[0]).parent), ctypes.byref(info), ctypes.byref(made)),
        )
        if not done:
            raise failure("starting QEMU", next_step=f"look whether {command[0]} is there and may be run")
    process = Process(made)
    try:
        process.join(job)
        process.stand_back()
    except GuestError:
        process.terminate()
        process.close()
        raise
    return process


def _open(path: str, access: int, how: int) -> Handle:
    """Open a file so that a child can inherit it."""
    attributes = SecurityAttributes(ctypes.sizeof(SecurityAttributes), None, 1)
    create = kernel32("CreateFileW", TEXT, DWORD, DWORD, POINTER, DWORD, DWORD, HANDLE, result=HANDLE)
    handle = create(path, access, _SHARE_ALL, ctypes.byref(attributes), how, 0, None)
    if handle in (None, INVALID_HANDLE):
        raise failure(f"opening {path}")
    return Handle(handle)


def _handle_list(handles: ctypes.Array[ctypes.c_void_p]) -> ctypes.Array[ctypes.c_char]:
    """Return an attribute list that names the only handles to inherit."""
    initialise = kernel32("InitializeProcThreadAttributeList", POINTER, DWORD, DWORD, POINTER)
    length = SIZE()
    initialise(None, 1, 0, ctypes.byref(length))
    buffer = ctypes.create_string_buffer(length.value)
    update = kernel32("UpdateProcThreadAttribute", POINTER, DWORD, SIZE, POINTER, SIZE, POINTER, POINTER)
    if not initialise(buffer, 1, 0, ctypes.byref(length)) or not update(
        buffer, 0, _HANDLE_LIST, handles, ctypes.sizeof(handles), None, None
    ):
        raise failure("list of the handles QEMU inherits")
    return buffer


def _environment(program: str) -> str:
    """Return what QEMU may know: where Windows is. Nothing of the agent's own environment."""
    root = os.environ.get("SYSTEMROOT", r"C:\Windows")
    path = f"{Path(program).parent};{root}\\System32;{root}"
    return f"PATH={path}\0SystemRoot={root}\0"
