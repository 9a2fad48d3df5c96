# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the agent of a Windows desktop together and runs it, as a service or by hand."""

from __future__ import annotations

import functools
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterable

from eyrie import __version__
from eyrie.agent import log
from eyrie.agent.config import GuestConfig, IdleConfig
from eyrie.agent.driver import Driver
from eyrie.agent.edges import Edges, Teller
from eyrie.agent.idle.base import Source
from eyrie.agent.idle.monitor import Monitor
from eyrie.agent.service import Paths, Service
from eyrie.agent.windows import kernel, scm, wts
from eyrie.agent.windows.asking import PIPE
from eyrie.agent.windows.control import PipeServer
from eyrie.agent.windows.helpers import Helpers, Listener
from eyrie.agent.windows.lock import Lock
from eyrie.agent.windows.mailbox import Mailbox
from eyrie.agent.windows.places import Places, take_secret
from eyrie.agent.windows.sessions import Desk, Presentation, Sessions
from eyrie.guests.backend import Backend
from eyrie.guests.windows.job import GuestJob


@dataclass(frozen=True)
class Wanted:
    """Where to keep things and be asked."""

    places: Places
    pipe: str = PIPE


class Quiet:
    """Tells nobody: the agent was started by hand."""

    def tell(self, text: str) -> None:
        """Do nothing."""

    def alive(self, now: float) -> None:
        """Do nothing."""


def backends(state: Path, job: GuestJob) -> Callable[[GuestConfig], Backend]:
    """Return what returns the configured guest backend; it remembers what it found out."""

    # Loaded when the first guest is started: a desktop that never joins pays no memory for it.
    @functools.lru_cache(maxsize=None)
    def qemu(program: str) -> Backend:
        from eyrie.guests.windows.start import backend

        return backend(program, state, job)

    @functools.lru_cache(maxsize=None)
    def colinux() -> Backend:
        from eyrie.guests.windows.colinux import ColinuxBackend
        from eyrie.guests.windows.colinux_desktop import WindowsDesktop

        return ColinuxBackend(WindowsDesktop(job))

    return lambda guest: colinux() if guest.colinux else qemu(guest.program)


def monitor(
    mail: Mailbox,
    changes: Callable[[], Iterable[int]],
    config: IdleConfig,
    now: float,
    guest_cpu: Callable[[], float],
) -> Monitor:
    """Return a monitor of the configured sources."""
    from eyrie.agent.idle.calendar import Calendar
    from eyrie.agent.idle.load import Load
    from eyrie.agent.windows.machine import Power, busy_seconds

    wake = functools.partial(mail.put, "look")
    helpers = Helpers(functools.partial(Listener, wake=wake, needed=config.seconds))
    desk = Desk(wts.sessions, helpers, changes, config.ignored_users)
    makers: dict[str, Callable[[], Source]] = {
        "sessions": lambda: Sessions(desk),
        "presentation": lambda: Presentation(desk),
        "power": Power,
        "load": lambda: Load(now, config.foreign_cpu_percent, guest_cpu, busy_seconds),
        "calendar": lambda: Calendar(config.calendar),
    }
    return Monitor(make() for name, make in makers.items() if name in config.sources)


def run(wanted: Wanted) -> None:
    """Be the agent in the foreground, until Ctrl+C."""
    wanted.places.prepare()
    mail = Mailbox()
    for name in ("SIGINT", "SIGBREAK", "SIGTERM"):
        signal.signal(getattr(signal, name), lambda _number, _frame: mail.put("stop"))
    signal.set_wakeup_fd(mail.waker(), warn_on_full_buffer=False)
    _agent(wanted, mail, tuple, Quiet())


def service(wanted: Wanted) -> int:
    """Be the service, until the service manager says stop."""

    def body(manager: scm.Manager) -> None:
        from eyrie.agent.windows.records import EventLog, LogFile

        log.also(EventLog())
        wanted.places.prepare()
        log.also(LogFile(wanted.places.log))
        log.log(f"the agent {__version__} starts")
        try:
            scm.expect_restart()
        except OSError as error:  # it was installed in another way, or may not: it still does its work
            log.log(f"a crashed agent will stay down: {error}", log.WARNING)
        if take_secret(wanted.places):
            log.log("the enrolment secret moved from the registry into its protected file")
        _agent(wanted, manager.mail, manager.session_changes, manager)

    return scm.serve(body)


def _agent(wanted: Wanted, mail: Mailbox, changes: Callable[[], Iterable[int]], teller: Teller) -> None:
    lock = Lock(wanted.places.lock)
    try:
        kernel.step_back()
        places = wanted.places
        watch = functools.partial(monitor, mail, changes)
        edges = Edges(lambda: mail, lambda _path, handle: PipeServer(wanted.pipe, handle), lambda: teller)
        job = GuestJob()
        driver = Driver(backends(places.state, job), places.run, job)
        paths = Paths(places.config, places.state, places.run)
        Service(paths, driver, watch, kernel.moment, edges).run()
    finally:
        lock.release()


def wanted(data: Path | None, pipe: str) -> Wanted:
    """Return where to keep things, for the options given."""
    from eyrie.agent.windows.places import default_data

    return Wanted(Places(data or default_data()), pipe)
