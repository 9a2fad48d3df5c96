# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backend of coLinux needs of Windows: services, processes, the driver's own words."""

from __future__ import annotations

import ctypes
import subprocess
from contextlib import contextmanager
from typing import Iterator

from eyrie.agent.converge.windows_facts import memory_mib
from eyrie.agent.windows import services
from eyrie.agent.windows.api import code
from eyrie.agent.windows.scm_values import STOP
from eyrie.guests.backend import GuestError
from eyrie.guests.windows.api import (
    BOOL,
    DWORD,
    HANDLE,
    INVALID_HANDLE,
    POINTER,
    SIZE,
    Handle,
    failure,
    kernel32,
)
from eyrie.guests.windows.job import UNCOUNTED, GuestJob, Job
from eyrie.guests.windows.process import Process, opened

STATUS_SECONDS = 3.0
_PROCESSES = 0x2  # TH32CS_SNAPPROCESS
_REMEDIES = {
    services.NOT_INSTALLED: "run site.yml (role colinux)",
    1058: "site.yml changes it just now, or was cut off: the agent tries again; run site.yml if it stays so",
    1068: "does the driver CoLinuxDriver run, and WinPcap (sc query npf)?",
}


class _Entry(ctypes.Structure):
    """PROCESSENTRY32W."""

    _fields_ = (
        ("size", DWORD),
        ("usage", DWORD),
        ("pid", DWORD),
        ("heap", SIZE),
        ("module", DWORD),
        ("threads", DWORD),
        ("parent", DWORD),
        ("priority", ctypes.c_int32),
        ("flags", DWORD),
        ("name", ctypes.c_wchar * 260),
    )


class WindowsDaemon:
    """A daemon in a job of the agent's: whatever becomes of the agent, no guest runs on unwatched."""

    def __init__(self, process: Process, job: Job) -> None:
        self.pid = process.pid
        self.hold, self.release = process.hold, process.release
        self.wait, self.cpu_seconds = process.wait, process.cpu_seconds
        self._process, self._job = process, job

    def terminate(self) -> None:
        """End it, and the helpers it started before it was in the job."""
        children = [pid for pid, parent, _name in processes() if parent == self.pid]
        self._process.cpu_seconds()
        self._job.terminate()
        self._process.terminate()
        for pid in children:
            try:
                child = opened(pid)
            except GuestError:  # it was in the job
                continue
            child.terminate()
            child.close()

    def close(self) -> None:
        """Let go of it."""
        self._process.close()
        self._job.close()


class WindowsDesktop:
    """This desktop."""

    def __init__(self, job: GuestJob) -> None:
        self._job = job

    def service(self, name: str) -> tuple[int, int]:
        """Return a service's state, and the number of its process."""
        with _told(f"service {name}"), services.opened(name, services.QUERY) as service:
            status = services.status(service)
        return status.state, status.pid

    def start(self, name: str) -> None:
        """Have a service started."""
        with _told(f"starting service {name}"), services.opened(name, services.START) as service:
            services.start(service)

    def stop(self, name: str) -> None:
        """Ask a service to stop."""
        with _told(f"stopping service {name}"), services.opened(name, services.STOP) as service:
            services.control(service, STOP)

    def daemon(self, pid: int, program: str) -> WindowsDaemon:
        """Return the process if it runs that program."""
        process = opened(pid)
        try:
            runs = process.program()
            if runs.lower() != program.lower():
                raise GuestError(
                    "the guest's service", seen=runs, wanted=program, next_step="run site.yml (role colinux)"
                )
            job = self._job.hold(UNCOUNTED)
            try:
                process.join(job)
            except GuestError:
                job.close()
                raise
            process.stand_back()
        except GuestError:
            process.close()
            raise
        return WindowsDaemon(process, job)

    def processes_of(self, name: str) -> set[int]:
        """Return the numbers of the processes of a program of this name."""
        return {pid for pid, _parent, each in processes() if each.lower() == name.lower()}

    def driver_status(self, program: str) -> str:
        """Return what the daemon's program prints of the driver; its exit status means little."""
        try:
            done = subprocess.run(
                [program, "--status-driver"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=STATUS_SECONDS,
                check=False,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise GuestError(
                program, seen=str(error), wanted="its answer", next_step="run site.yml (role colinux)"
            ) from error
        return (done.stdout + done.stderr).decode("ascii", "replace")

    def free_mib(self) -> int:
        """Return the memory that nobody uses."""
        return memory_mib()[1]


def processes() -> Iterator[tuple[int, int, str]]:
    """Yield number, parent and program's name of every process."""
    made = kernel32("CreateToolhelp32Snapshot", DWORD, DWORD, result=HANDLE)(_PROCESSES, 0)
    if made in (None, INVALID_HANDLE):
        raise failure("list of processes")
    with Handle(made) as all_of_them:
        entry = _Entry(size=ctypes.sizeof(_Entry))
        more = kernel32("Process32FirstW", HANDLE, POINTER)(all_of_them.value, ctypes.byref(entry))
        while more:
            yield int(entry.pid), int(entry.parent), str(entry.name)
            more = kernel32("Process32NextW", HANDLE, POINTER, result=BOOL)(
                all_of_them.value, ctypes.byref(entry)
            )


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn what Windows refuses into the backend's error."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(code(error), "look at it in the list of services")
        raise GuestError(what, seen=str(error), wanted="success", next_step=remedy) from error
