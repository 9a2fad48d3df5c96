# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest backend of 32-bit Windows: the one guest of coLinux that role colinux installed as a service.

Its service's word counts for nothing (it says RUNNING before the kernel is opened, and STOPPED with success
whatever happened): the daemon's process, its network's helper and the driver's count of guests do. Its file
system is writable, so that ending it from outside is a power cut for it, and the last resort.
"""

from __future__ import annotations

import ntpath
import re
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Callable, Protocol

from eyrie.agent.waiting import connect_result
from eyrie.guests.backend import ColinuxSpec, GuestError, GuestSpec, Message
from eyrie.guests.colinux_names import DAEMON, HELPERS

STOPPED = 1
START_SECONDS = 15.0
KILL_SECONDS = 5.0
RELEASE_SECONDS = 3.0
_COUNT = re.compile(r"current number of monitors:\s*([0-9a-fA-F]+)")
_RUN_SITE = "run site.yml (role colinux), or look at the desktop with colinux_preflight"


class Daemon(Protocol):
    """The process that hosts the guest; all of the guest runs in its threads."""

    pid: int

    def hold(self) -> None:
        """Suspend all its threads; raises GuestError."""

    def release(self) -> None:
        """Let them go on; raises GuestError."""

    def wait(self, seconds: float) -> int | None:
        """Return its exit status, or None if it still runs after so long."""

    def terminate(self) -> None:
        """End it at once, its helpers too."""

    def cpu_seconds(self) -> float:
        """Return its user and system time."""

    def close(self) -> None:
        """Let go of it."""


class Desktop(Protocol):
    """What is asked of Windows; whatever it refuses is a GuestError."""

    def service(self, name: str) -> tuple[int, int]:
        """Return a service's state, and the number of its process (0: none)."""

    def start(self, name: str) -> None:
        """Have a service started; returns before it has."""

    def stop(self, name: str) -> None:
        """Ask a service to stop: the daemon has its guest shut down."""

    def daemon(self, pid: int, program: str) -> Daemon:
        """Return the process if it runs that program, at the lowest priority, bound to the agent's life."""

    def processes_of(self, name: str) -> set[int]:
        """Return the numbers of the processes of a program of this name."""

    def driver_status(self, program: str) -> str:
        """Return what the driver tells of its guests."""

    def free_mib(self) -> int:
        """Return the memory that nobody uses."""


@dataclass(frozen=True)
class Before:
    """What there was before the guest was started."""

    free_mib: int
    helpers: frozenset[int]  # of another guest, or of one that was cut off: none of ours


class ColinuxBackend:
    """Starts the guest, and nothing that somebody else runs already."""

    def __init__(self, desktop: Desktop) -> None:
        self._desktop = desktop

    def start(self, spec: GuestSpec) -> ColinuxGuest:
        """Have the guest's service started; return when its daemon runs."""
        assert spec.colinux is not None  # the configuration's reader sees to that
        desktop, wanted = self._desktop, spec.colinux
        program = ntpath.join(wanted.folder, DAEMON)
        self._refuse_others(wanted, program)
        seen = Before(desktop.free_mib(), frozenset(desktop.processes_of(HELPERS[wanted.network])))
        desktop.start(wanted.service)
        try:
            daemon = desktop.daemon(self._pid(wanted.service), program)
        except GuestError:
            _quietly(lambda: desktop.stop(wanted.service))  # nobody would watch over it
            raise
        return ColinuxGuest(daemon, desktop, wanted, seen)

    def _refuse_others(self, wanted: ColinuxSpec, program: str) -> None:
        state, _pid = self._desktop.service(wanted.service)
        if state != STOPPED:
            _quietly(lambda: self._desktop.stop(wanted.service))
            raise GuestError(
                f"service {wanted.service}",
                seen=f"state {state} (4 is RUNNING) before the agent started it",
                wanted="a guest that the agent alone starts",
                next_step="it was told to stop, and the agent tries again; is colinux_start agent here?",
            )
        count = guests(self._desktop.driver_status(program))
        if count != 0:
            raise GuestError(
                "driver of coLinux",
                seen="no answer" if count is None else f"{count} guests",
                wanted="a driver that runs, and holds no guest",
                next_step=_RUN_SITE if count is None else "end the other guest; if there is none, restart",
            )

    def _pid(self, service: str) -> int:
        until = time.monotonic() + START_SECONDS
        while True:
            state, pid = self._desktop.service(service)
            if pid:
                return pid
            if state == STOPPED or time.monotonic() > until:
                raise GuestError(
                    f"service {service}",
                    seen=f"state {state} (1 is STOPPED) and no process",
                    wanted=f"a running {DAEMON}",
                    next_step=_RUN_SITE,
                )
            time.sleep(0.05)


class ColinuxGuest:
    """One running daemon. It tells nothing: its messages are what can be seen of it from outside."""

    accelerator = "colinux"

    def __init__(self, daemon: Daemon, desktop: Desktop, wanted: ColinuxSpec, before: Before) -> None:
        self.pid = daemon.pid
        self._daemon, self._desktop, self._wanted = daemon, desktop, wanted
        self._before = before
        # From its first moment on its file system is mounted: it has to be asked, and not just ended.
        self._words = deque([Message("state", ("engine-starting",))])
        self._watched = True
        self._joined = False
        self._asked: threading.Thread | None = None
        self._link: socket.socket | None = None
        self._nothing, self._silent = socket.socketpair()  # the agent's loop waits for sockets alone

    def fileno(self) -> int:
        """Return a descriptor that is never readable: what there is to see is seen at every look."""
        return self._nothing.fileno()

    def messages(self) -> list[Message]:
        """Return what has become of it since the last call."""
        if self._watched and self._daemon.wait(0) is None:
            self._look()
        found = list(self._words)
        self._words.clear()
        return found

    def _look(self) -> None:
        helper = HELPERS[self._wanted.network]
        there = self._desktop.processes_of(helper) - self._before.helpers
        if self._joined and not there:
            self._watched = False
            self._words.append(Message("lost", (f"its network's {helper} is gone",)))
        elif not self._joined and there and self._answers():
            self._joined = True
            self._words.append(Message("state", ("joined",)))

    def _answers(self) -> bool:
        """Whether it answers at its address, if it is to be asked; never waits."""
        if self._wanted.answer is None:
            return True
        if self._link is None:
            self._link = socket.socket()
            self._link.setblocking(False)
            self._link.connect_ex(self._wanted.answer)
        result = connect_result(self._link)
        if result is not None:
            self._hang_up()
        return result == 0

    def _hang_up(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def pause(self) -> None:
        """Suspend the daemon's threads."""
        self._watched = False  # what is held still may be silent
        self._daemon.hold()

    def resume(self) -> None:
        """Let them go on."""
        self._daemon.release()

    def vacate(self, seconds: int) -> None:
        """Have its service ask it to shut down; in a thread, for Windows waits for the service."""
        del seconds  # it takes the time that it takes
        self._watched = False
        if self._asked is None or not self._asked.is_alive():
            self._asked = threading.Thread(target=self._ask, name="stop of coLinux", daemon=True)
            self._asked.start()

    def _ask(self) -> None:
        _quietly(lambda: self._desktop.stop(self._wanted.service))

    def kill(self) -> None:
        """End the daemon at once: a power cut for the guest."""
        self._watched = False
        self._words.clear()
        if self._daemon.wait(0) is None:
            self._daemon.terminate()
            if self._daemon.wait(KILL_SECONDS) is None:
                raise GuestError(
                    f"{DAEMON} does not die",
                    seen=f"process {self.pid} after TerminateProcess",
                    wanted="its end",
                    next_step="look for a fault of its driver; restart the desktop",
                )

    def exit_status(self) -> int | None:
        """Return None while the daemon runs, else its exit status, which is 0 after a panic too."""
        return self._daemon.wait(0)

    def cpu_seconds(self) -> float:
        """Return the daemon's user and system time."""
        return self._daemon.cpu_seconds()

    def released(self) -> str:
        """Ask the driver, which had the guest's memory, whether it holds a guest still."""
        until = time.monotonic() + RELEASE_SECONDS
        try:
            while (count := self._held()) and time.monotonic() < until:
                time.sleep(0.2)
            free = self._desktop.free_mib()
        except GuestError as error:
            return f"whether the guest's memory is free again is not known: {error}"
        if count is None:
            return "whether the guest's memory is free again is not known: its driver does not tell"
        if count:
            return f"the guest's memory is not free: its driver holds {count} guests; restart the desktop"
        return f"the guest's memory is free again: {free} MiB are, {self._before.free_mib} before it started"

    def _held(self) -> int | None:
        return guests(self._desktop.driver_status(ntpath.join(self._wanted.folder, DAEMON)))

    def close(self) -> None:
        """Let go of all of it."""
        self._hang_up()
        self._nothing.close()
        self._silent.close()
        self._daemon.close()


def guests(status: str) -> int | None:
    """Return how many guests the driver holds, None if it does not tell; 0.6.1 tells in hexadecimal."""
    found = _COUNT.search(status)
    return int(found[1], 16) if found else None


def _quietly(do: Callable[[], None]) -> None:
    """Do what may fail: what counts is whether the guest ends, and somebody waits for that."""
    try:
        do()
    except GuestError:
        return
