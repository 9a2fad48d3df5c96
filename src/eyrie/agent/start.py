# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the agent of a Linux desktop together and runs it."""

from __future__ import annotations

import functools
from pathlib import Path

from eyrie.agent import cgroup
from eyrie.agent.config import GuestConfig
from eyrie.agent.driver import Driver
from eyrie.agent.idle.monitor import build
from eyrie.agent.lock import Lock
from eyrie.agent.log import log
from eyrie.agent.service import Paths, Service
from eyrie.errors import EyrieError
from eyrie.guests.backend import Backend


def backend(guest: GuestConfig) -> Backend:
    """Return the configured guest backend."""
    return _backend(guest.backend)


@functools.lru_cache(maxsize=None)  # a backend remembers what it probed
def _backend(name: str) -> Backend:
    if name != "qemu":
        raise EyrieError("guest backend", seen=name, wanted="qemu")
    # Loaded when the first guest is started: a desktop that never joins pays no memory for it.
    from eyrie.guests.qemu import QemuBackend

    return QemuBackend()


def start(config: Path, state_dir: Path, run_dir: Path) -> None:
    """Run until told to end."""
    paths = Paths(config, state_dir, run_dir)
    lock = Lock(run_dir / "agent.lock")
    try:
        group = cgroup.delegate()
        if group.notice:
            log(group.notice)
        Service(paths, Driver(backend, run_dir, group), build).run()
    finally:
        lock.release()
