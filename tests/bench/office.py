# SPDX-License-Identifier: GPL-3.0-or-later
"""A running lab with a pool in it, as the figures need it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eyrie.agent.cli import FAILED
from eyrie.demo import userlog
from eyrie.demo.animation import LOG, SUBMIT_FILE
from eyrie.demo.pool import Pool, Submitted
from eyrie.demo.remote import LabRemote
from eyrie.demo.story import State, Story, stories
from eyrie.errors import EyrieError
from eyrie.lab import Lab
from tests.bench import processes

POLL_SECONDS = 0.25
JOIN_SECONDS = 180.0  # idle time, guest start under emulation, and a negotiation
SLEEP = "sleep 3600"
BURN = "while :; do :; done"


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    lab: Path
    name: str | None
    repetitions: int
    full: bool
    say: Callable[[str], None]


@dataclass
class Jobs:
    """Jobs of ours in the queue."""

    pool: Pool
    submitted: Submitted
    count: int

    def stories(self) -> tuple[Story, ...]:
        log = self.pool.log_from(self.submitted, 0).decode(errors="replace")
        return stories(userlog.parse(log), self.count)

    def running_on(self) -> set[str]:
        """The desktops that execute one of the jobs now."""
        return {str(story.desktop) for story in self.stories() if story.state is State.RUNNING}


class Office:
    """The lab's hosts, seen from this machine's kernel, from ssh and from the pool's queue."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.lab = Lab.load(options.lab, options.name)
        self._up = "eyrie lab up" + (f" --name {options.name}" if options.name else "")
        off = [status.host.name for status in self.lab.status() if status.state != "up"]
        if off:
            raise EyrieError(
                f"lab {self.lab.topology.name}",
                seen=f"not up: {', '.join(off)}",
                wanted="a running lab with a pool",
                next_step=f"`{self._up}`, then `ansible-playbook -i {options.lab} site.yml`",
            )
        self.remote = LabRemote(options.lab, options.name, "researcher")
        self.pool = Pool(self.remote)
        self.guests_ran_with: set[str] = set()
        # Wine tells a Windows desktop's agent the wrong processor times, and its owner types no terminal.
        self.desktops = [
            host.name for host in self.lab.topology.hosts if host.is_desktop and not host.is_windows
        ]

    def say(self, text: str) -> None:
        self.options.say(text)

    def agent_status(self, desktop: str) -> dict[str, object]:
        """What `eyrie agent status --json` answers on a desktop."""
        done = self.lab.run(desktop, ["eyrie", "agent", "status", "--json"])
        if done.returncode not in (0, FAILED):
            raise EyrieError(
                f"agent of {desktop}", seen=done.stderr.strip(), wanted="an answer", next_step="run site.yml"
            )
        answer: dict[str, object] = json.loads(done.stdout)
        return answer

    def accelerator(self, desktop: str) -> str:
        """What the desktop's guest runs with, empty if it has none now."""
        guest = self.agent_status(desktop).get("guest")
        return str(guest["accelerator"]) if isinstance(guest, dict) else ""

    def process(self, desktop: str, sign: str) -> int | None:
        """The oldest process of a desktop that runs the program `sign`."""
        namespace = self.lab.topology.host_namespace(self.lab.host(desktop))
        found = [pid for pid in processes.of_namespace(namespace) if _has(processes.command(pid), sign)]
        return min(found) if found else None

    def guest(self, desktop: str) -> int | None:
        return self.process(desktop, "qemu-system-x86_64")

    def wait(self, what: str, ready: Callable[[], bool], seconds: float, poll: float = POLL_SECONDS) -> float:
        """Wait until something holds; return when it was first seen to (time.monotonic)."""
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                raise EyrieError(what, seen=f"not within {seconds:.0f} s", next_step="`eyrie lab status`")
            time.sleep(poll)
        return time.monotonic()

    def wait_joined(self, desktops: Sequence[str] | None = None) -> None:
        """Wait until desktops (default: all) have a slot in the pool."""
        wanted = set(desktops if desktops is not None else self.desktops)
        self.wait(
            f"slots of {', '.join(sorted(wanted))}", lambda: wanted <= self.pool.desktops(), JOIN_SECONDS
        )
        if not self.guests_ran_with:
            self.guests_ran_with = {self.accelerator(desktop) for desktop in wanted} - {""}

    @contextmanager
    def jobs(self, line: str, count: int) -> Iterator[Jobs]:
        """Keep `count` jobs that run a line of shell in the queue."""
        submitted = self.pool.submit({SUBMIT_FILE: _description(line, count, self.desktops)})
        try:
            yield Jobs(self.pool, submitted, count)
        finally:
            self.pool.remove(submitted)


def _has(words: Sequence[str], sign: str) -> bool:
    # The first words only: a program behind its interpreter and the options of that.
    return any(Path(word).name == sign for word in words[:6])


def _description(line: str, count: int, desktops: Sequence[str]) -> str:
    return f"""\
universe = vanilla
batch_name = eyrie-bench
executable = /bin/sh
transfer_executable = false
arguments = "-c '{line}'"
log = {LOG}
ulog_execute_attrs = EyrieDesktop
should_transfer_files = yes
when_to_transfer_output = on_exit
request_cpus = 1
request_memory = 32MB
request_disk = 1MB
requirements = stringListMember(TARGET.EyrieDesktop, "{",".join(desktops)}")
notification = never
queue {count}
"""
