# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out what the state machine decides about the guest, and tells what has become of it."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Protocol

from eyrie.agent.config import Config, GuestConfig
from eyrie.agent.log import ERROR, WARNING, log
from eyrie.agent.model import GuestSeen, Stage
from eyrie.errors import EyrieError
from eyrie.guests.backend import Backend, Guest, GuestSpec, Message

MANAGER_GONE = "central manager not reachable"
STAGES = {"engine-starting": Stage.ENGINE_STARTING, "joined": Stage.JOINED, "vacating": Stage.JOINED}


class Group(Protocol):
    """What holds a guest within its limits beside its backend; `notice` says what is not enforced."""

    notice: str

    def limit(self, guest: GuestConfig) -> None:
        """Set the guest's limits."""

    def take(self, pid: int) -> None:
        """Put the guest's process under them."""


class Driver:
    """The one guest there may be."""

    def __init__(self, backend: Callable[[GuestConfig], Backend], run_dir: Path, group: Group) -> None:
        self._backend = backend
        self._run_dir = run_dir
        self._group = group
        self._guest: Guest | None = None
        self._started: GuestSpec | None = None
        self._paused = False
        self._stage = Stage.BOOTING
        self._vacated = False
        self._trouble = ""
        self._ended_cpu = 0.0  # seconds, of guests that are gone
        self._cpu = 0.0  # of this one, when last asked: the dead tell nothing
        self.jobs = 0
        self.image_id = ""

    @property
    def guest(self) -> Guest | None:
        """Return the guest, if there is one."""
        return self._guest

    def cpu_seconds(self) -> float:
        """Return the processor time of all guests since the agent's start."""
        if self._guest is not None:
            self._cpu = max(self._cpu, self._guest.cpu_seconds())
        return self._ended_cpu + self._cpu

    def hear(self) -> int:
        """Take in the guest's messages; return how many there were."""
        if self._guest is None:
            return 0
        messages = self._guest.messages()
        for message in messages:
            self._take(message)
        return len(messages)

    def _take(self, message: Message) -> None:
        words = message.words
        if message.kind == "refused":
            manager = words[:1] == ("manager",)
            self._trouble = f"{MANAGER_GONE if manager else 'guest refused'}: {' '.join(words[manager:])}"
        elif message.kind == "state" and words:
            if words[0] == "leaving":
                self._trouble = self._trouble or MANAGER_GONE
            elif words[0] == "vacated":
                self._vacated = True
            else:
                self._stage = max(self._stage, STAGES.get(words[0], Stage.BOOTING))
        elif message.kind == "jobs" and words and words[0].isdigit():
            self.jobs = int(words[0])
        elif message.kind == "lost":
            self._trouble = " ".join(words)
        elif message.kind == "hub":
            log("the pool's hub: " + " ".join(words))
        elif message.kind == "invalid":
            log("the guest said something unknown: " + " ".join(words)[:200], WARNING)

    def seen(self) -> GuestSeen:
        """Return the guest as it is now, noticing its end."""
        if self._guest is not None:
            status = self._guest.exit_status()
            self.hear()  # its last words first
            if status is not None:
                self._trouble = self._trouble or f"the guest ended by itself (status {status})"
                self._gone()
        return GuestSeen(self._guest is not None, self._stage, self._vacated, self._trouble)

    def outdated(self, config: Config | None) -> str:
        """Return why the guest should make way for a new one; a guest at work never does."""
        if self._guest is None or self._started is None or config is None or self.jobs:
            return ""
        wanted = spec(config, self._run_dir)
        if wanted == self._started:
            return ""
        what = "image" if wanted.image_id != self._started.image_id else "configuration"
        return f"a new guest takes over: its {what} changed"

    def start(self, config: Config) -> None:
        """Start the guest; what goes wrong is told by `seen`."""
        assert self._guest is None
        self._stage, self._vacated, self._trouble = Stage.BOOTING, False, ""
        self._paused, self.jobs = False, 0
        try:
            self._group.limit(config.guest)
            self._started = spec(config, self._run_dir)
            self._guest = self._backend(config.guest).start(self._started)
        except EyrieError as error:
            self._trouble = str(error)
            return
        self.image_id = config.guest.image_id
        self._group.take(self._guest.pid)
        if self._group.notice:
            log(self._group.notice)
        log(f"guest started (process {self._guest.pid}, {self._guest.accelerator})")

    def pause(self) -> None:
        """Stop the guest's CPUs; a guest that cannot be stopped is ended."""
        if self._guest is None:
            return
        try:
            self._guest.pause()
            self._paused = True
        except EyrieError as error:
            self.kill(f"it could not be paused ({error})")

    def let_vacate(self, seconds: float) -> None:
        """Let the guest run (all its life behind everything else here) and ask it to hand its jobs back."""
        if self._guest is None:
            return
        try:
            if self._paused:
                self._guest.resume()
                self._paused = False
            self._guest.vacate(max(1, int(seconds)))
        except EyrieError as error:
            self.kill(f"it could not be asked to vacate ({error})")

    def kill(self, reason: str) -> None:
        """End the guest now."""
        if self._guest is not None:
            log(f"ending the guest: {reason}")
            self.cpu_seconds()
            try:
                self._guest.kill()
            except EyrieError as error:  # it stays known, so that no second one is started
                log(str(error), ERROR)
                return
            self._gone()

    def _gone(self) -> None:
        guest, self._guest = self._guest, None
        assert guest is not None
        self._ended_cpu, self._cpu = self._ended_cpu + self._cpu, 0.0
        self.jobs = 0
        released = guest.released()
        if released:
            log(released)
        guest.close()


def spec(config: Config, run_dir: Path) -> GuestSpec:
    """Return what to start under a configuration."""
    guest, pool = config.guest, config.pool
    return GuestSpec(
        name=config.name,
        image=guest.image,
        image_id=guest.image_id,
        memory_mib=guest.memory_mib,
        cpus=guest.cpus,
        cpu_percent=guest.cpu_percent,
        user=guest.user,
        accel=guest.accel,
        token=guest.token,
        run_dir=str(run_dir / "guest"),
        config={
            "name": config.name,
            "pool": pool.name,
            "engine": pool.engine,
            "master": pool.master,
            "port": str(pool.port),
            "lease_seconds": str(config.lease_seconds),
            **({"hub_address": guest.hub_address} if guest.hub else {}),
        },
        hub=guest.hub,
        colinux=guest.colinux,
    )
