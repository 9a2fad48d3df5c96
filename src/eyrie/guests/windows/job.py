# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's job object: what it may use of the desktop, and that it never outlives the agent."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass

from eyrie.guests.backend import GuestError, GuestSpec
from eyrie.guests.windows.api import BOOL, DWORD, HANDLE, POINTER, SIZE, TEXT, Handle, failure, kernel32

# QEMU's own memory. Windows counts what is committed, not what is touched, so this is more than on Linux.
OVERHEAD_MIB = 384
KILLED = 9  # the exit status of what is ended from outside
IDLE_PRIORITY = 0x40
_EXTENDED, _UI, _CPU_RATE = 9, 4, 15  # information classes
_ACTIVE_PROCESS, _PRIORITY, _JOB_MEMORY = 0x8, 0x20, 0x200
_DIE_ON_EXCEPTION, _KILL_ON_CLOSE = 0x400, 0x2000
_ENABLE, _HARD_CAP = 0x1, 0x4
_NO_DESKTOP = 0xFF  # no clipboard, no foreign windows, no system settings, no logging off


class BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", DWORD),
        ("least_working_set", SIZE),
        ("most_working_set", SIZE),
        ("most_processes", DWORD),
        ("affinity", SIZE),
        ("priority_class", DWORD),
        ("scheduling_class", DWORD),
    )


class ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("basic", BasicLimits),
        ("io", ctypes.c_uint64 * 6),
        ("process_memory", SIZE),
        ("job_memory", SIZE),
        ("peak_process_memory", SIZE),
        ("peak_job_memory", SIZE),
    )


class CpuRate(ctypes.Structure):
    """JOBOBJECT_CPU_RATE_CONTROL_INFORMATION with a plain rate."""

    _fields_ = (("flags", DWORD), ("rate", DWORD))


@dataclass(frozen=True)
class Limits:
    """What a guest may use at most."""

    memory_bytes: int
    cpu_rate: int  # hundredths of a percent of the whole desktop
    processes: int = 1  # a QEMU that is taken over starts nothing else


UNCOUNTED = Limits(0, 0, 0)
"""The lowest priority alone: for a guest whose memory is a driver's, and whose process starts others."""


def limits(spec: GuestSpec, processors: int) -> Limits:
    """Return the limits of a guest on a desktop with so many processors."""
    rate = spec.cpus * spec.cpu_percent * 100 // max(1, processors)
    return Limits((spec.memory_mib + OVERHEAD_MIB) << 20, min(10000, max(1, rate)))


class Job:
    """A job object of one process; ending it, or letting go of it, ends the process."""

    def __init__(self, wanted: Limits) -> None:
        create = kernel32("CreateJobObjectW", POINTER, TEXT, result=HANDLE)
        handle = create(None, None)
        if not handle:
            raise failure("guest's job object")
        self._handle = Handle(handle)
        self.missing: list[str] = []  # what this Windows does not enforce
        try:
            self._limit(wanted)
        except GuestError:
            self.close()
            raise

    def _limit(self, wanted: Limits) -> None:
        counted = _ACTIVE_PROCESS | _JOB_MEMORY if wanted.processes else 0
        basic = BasicLimits(
            flags=_KILL_ON_CLOSE | _DIE_ON_EXCEPTION | _PRIORITY | counted,
            most_processes=wanted.processes,
            priority_class=IDLE_PRIORITY,
        )
        if not self._set(_EXTENDED, ExtendedLimits(basic=basic, job_memory=wanted.memory_bytes)):
            raise failure("memory limit of the guest's job object")
        if not self._set(_UI, DWORD(_NO_DESKTOP)):
            self.missing.append("no access to the desktop's windows")
        if wanted.cpu_rate and not self._set(_CPU_RATE, CpuRate(_ENABLE | _HARD_CAP, wanted.cpu_rate)):
            self.missing.append("processor time (needs Windows 8; it has the lowest priority all the same)")

    def _set(self, kind: int, value: ctypes._SimpleCData[int] | ctypes.Structure) -> bool:
        put = kernel32("SetInformationJobObject", HANDLE, ctypes.c_int, POINTER, DWORD)
        return bool(put(self._handle.value, kind, ctypes.byref(value), ctypes.sizeof(value)))

    def assign(self, process: Handle) -> None:
        """Put a process in; one that cannot be put in must not run."""
        if not kernel32("AssignProcessToJobObject", HANDLE, HANDLE)(self._handle.value, process.value):
            raise failure("putting the guest into its job object")

    def contains(self, pid: int) -> bool:
        """Ask Windows whether the process is in this job."""
        query = 0x400  # PROCESS_QUERY_INFORMATION
        opened = kernel32("OpenProcess", DWORD, BOOL, DWORD, result=HANDLE)(query, 0, pid)
        if not opened or not self._handle.value:
            return False
        with Handle(opened) as process:
            answer = BOOL()
            ask = kernel32("IsProcessInJob", HANDLE, HANDLE, POINTER)
            return bool(ask(process.value, self._handle.value, ctypes.byref(answer)) and answer.value)

    def terminate(self) -> None:
        """End whatever runs in it."""
        if self._handle.value:
            kernel32("TerminateJobObject", HANDLE, DWORD)(self._handle.value, KILLED)

    def close(self) -> None:
        """Let go of the job: what still runs in it ends."""
        self._handle.close()


class GuestJob:
    """What the agent's driver sees of the job object: a guest has its limits before it first runs."""

    def __init__(self) -> None:
        self.notice = ""
        self.remark = ""  # what the guest runs with, as a sentence for the owner
        self._job: Job | None = None

    def limit(self, _guest: object) -> None:
        """Do nothing yet: a guest is born inside its limits, which its spec names."""
        self.notice = ""

    def renew(self, spec: GuestSpec) -> Job:
        """Return a new job for the guest that is about to start."""
        return self.hold(limits(spec, os.cpu_count() or 1))

    def hold(self, wanted: Limits) -> Job:
        """Return a new job with these limits."""
        self._job = Job(wanted)
        return self._job

    def take(self, pid: int) -> None:
        """Look whether the guest is where it should be, and say what is not enforced."""
        found = [self.remark] if self.remark else []
        if self._job is None or not self._job.contains(pid):
            found.append("the guest runs outside its job object")
        elif self._job.missing:
            found.append(f"not limited by Windows: {'; '.join(self._job.missing)}")
        self.notice = "; ".join(found)
