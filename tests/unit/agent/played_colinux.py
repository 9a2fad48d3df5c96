# SPDX-License-Identifier: GPL-3.0-or-later
"""A PLAYED Windows with coLinux: a process of Linux stands for the daemon, with the guest in its threads."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from eyrie.guests.backend import GuestError
from eyrie.guests.colinux_names import DAEMON, HELPERS

STOPPED, RUNNING = 1, 4


class PlayedDaemon:
    """The process; what Windows does to threads, signals do here."""

    def __init__(self, script: str) -> None:
        self._process = subprocess.Popen(["sh", "-c", script])
        self.pid = self._process.pid
        self.calls: list[str] = []
        self._seconds = 0.0

    def hold(self) -> None:
        self._do("hold", signal.SIGSTOP)
        while self.wait(0) is None and self._fields()[0] != "T":
            time.sleep(0.01)

    def release(self) -> None:
        self._do("release", signal.SIGCONT)

    def terminate(self) -> None:
        self._do("terminate", signal.SIGKILL)

    def shut_down(self) -> None:
        """Have the guest end in order: not before it is released."""
        self._do("shut down", signal.SIGTERM)

    def _do(self, call: str, number: int) -> None:
        self.calls.append(call)
        self._process.send_signal(number)

    def wait(self, seconds: float) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode

    def cpu_seconds(self) -> float:
        with contextlib.suppress(OSError):
            fields = self._fields()
            self._seconds = max(self._seconds, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
        return self._seconds

    def _fields(self) -> list[str]:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()

    def close(self) -> None:
        return


class PlayedWindows:
    """One desktop: a service that starts the daemon, a driver that counts guests, other processes."""

    def __init__(self, script: str = "exec sleep 600") -> None:
        self._script = script
        self.daemons: list[PlayedDaemon] = []
        self.refuses = False  # to start the service
        self.halts = True  # the guest, when it is told to
        self.helpers = {HELPERS["bridge"]}
        self.strangers: set[int] = set()  # helpers of somebody else's guest
        self.stray = False  # somebody else has started the guest
        self.wrong_program = False
        self.driver = "current number of monitors: {}\n"
        self.held = 0  # guests whose memory the driver keeps
        self.stops = 0

    @property
    def daemon_now(self) -> PlayedDaemon | None:
        return next((each for each in self.daemons if each.wait(0) is None), None)

    def service(self, name: str) -> tuple[int, int]:
        assert name == "EyrieGuest"
        daemon = self.daemon_now
        return (RUNNING, daemon.pid) if daemon else (RUNNING if self.stray else STOPPED, 0)

    def start(self, name: str) -> None:
        if self.refuses:
            raise GuestError(f"starting service {name}", seen="error 1058", wanted="success")
        self.daemons.append(PlayedDaemon(self._script))

    def stop(self, name: str) -> None:
        self.stops += 1
        self.stray = False
        daemon = self.daemon_now
        if daemon and self.halts:
            daemon.shut_down()

    def daemon(self, pid: int, program: str) -> PlayedDaemon:
        assert program.endswith(rf"\{DAEMON}")
        if self.wrong_program:
            raise GuestError("the guest's service", seen="another program", wanted=program)
        (found,) = [each for each in self.daemons if each.pid == pid]
        return found

    def processes_of(self, name: str) -> set[int]:
        daemon = self.daemon_now
        return self.strangers | ({daemon.pid + 1} if daemon and name in self.helpers else set())

    def driver_status(self, program: str) -> str:
        return self.driver.format(f"{self.held + (self.daemon_now is not None):x}")

    def free_mib(self) -> int:
        return 512 if self.daemon_now is None else 384

    def close(self) -> None:
        for each in self.daemons:
            if each.wait(0) is None:
                each.terminate()
                each.wait(5)
