# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab as one object: up, down, and what can happen to its hosts in between."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab import capture, impair, namespaces, node_choice, package_server, preflight, ssh, topology
from eyrie.lab.images import ImageStore
from eyrie.lab.lock import locked
from eyrie.lab.model import Host, Topology
from eyrie.lab.owner import Person
from eyrie.lab.paths import Paths
from eyrie.lab.plan import Present, Step, plan
from eyrie.lab.present import Reader, process
from eyrie.lab.processes import Processes
from eyrie.lab.progress import Progress, Silent
from eyrie.lab.steps import Applier, tear_down
from eyrie.lab.windows import desktop, supply, terminal
from eyrie.lab.windows.session import Session

KEYSTROKE_SECONDS = 0.5
OFF_SECONDS = 60.0


@dataclass(frozen=True)
class HostStatus:
    """One line of `eyrie lab status`."""

    host: Host
    state: str  # up | booting | off
    seconds: float | None  # since its start


@dataclass(frozen=True)
class Lab:
    """One lab, by its file and name."""

    topology: Topology
    paths: Paths
    progress: Progress = field(default_factory=Silent)

    @classmethod
    def load(cls, path: Path | str, name: str | None = None, progress: Progress | None = None) -> Lab:
        """Read a lab's file; `name` makes it another lab beside the one the file names."""
        parsed = topology.load(Path(path), name)
        paths = Paths(parsed.name)
        return cls(node_choice.resolve(parsed, paths), paths, progress or Silent())

    def up(self) -> None:
        """Bring the lab up; what is there stays, what an interruption left half done is redone."""
        self._check_machine()
        with locked(self.paths.state):
            self._end_left_overs()
            node_choice.record(self.topology, self.paths)
            present = self._reader().read()
            self._check_room(present)
            self._apply(plan(self.topology, present))

    def down(self) -> None:
        """Remove everything of the lab, whatever state it is in."""
        remove(self.paths, self.progress)

    def status(self) -> list[HostStatus]:
        """Return the state of every host."""
        reader, processes = self._reader(), self._processes()
        found = []
        for host in self.topology.hosts:
            record = processes.alive(process(host.name))
            state = "off" if record is None else "up" if reader.answers(host) else "booting"
            found.append(HostStatus(host, state, record.seconds if record else None))
        return found

    def run(
        self,
        host: str,
        argv: Sequence[str],
        input: str | None = None,
        user: str = "root",
        timeout: float | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a host over ssh; its exit status is for the caller to judge."""
        command = [*self.ssh(host, user), "--", shlex.join(argv)]
        given = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout, **given)

    def ssh(self, host: str, user: str = "root", *, shared: bool = True) -> list[str]:
        """Return the ssh command that reaches a host of a lab that is up."""
        found = self.host(host)
        if found.is_windows:
            raise EyrieError(
                f"ssh to {host}", seen="a Windows desktop", wanted="WinRM", next_step="see docs/lab.md"
            )
        self._check_up()
        return ssh.command(self.topology, self.paths, found, user, shared=shared)

    def owner(self, host: str) -> Person:
        """Return the desktop's owner, to log in with `with`."""
        found = self.host(host)
        if not found.is_desktop:
            desktops = ", ".join(other.name for other in self.topology.hosts if other.is_desktop)
            raise EyrieError(f"{host} has no owner", seen=list(found.groups), wanted=f"a desktop: {desktops}")
        return Person(self.ssh(host, "owner", shared=False))

    def touch(self, host: str, seconds: float = 0.0) -> float:
        """Let the owner press a key at once, and on for `seconds`; return the first key's time."""
        if self.host(host).is_windows:
            first = desktop.press_key(self.topology, self.paths, self.host(host))
            while time.monotonic() < first + seconds:
                time.sleep(KEYSTROKE_SECONDS)
                desktop.press_key(self.topology, self.paths, self.host(host))
            return first
        with self.owner(host) as person:
            first = person.type()
            while time.monotonic() < first + seconds:
                time.sleep(KEYSTROKE_SECONDS)
                person.type()
        return first

    def power_cut(self, host: str) -> None:
        """Cut a host's power: no goodbye of any kind reaches the others."""
        found = self.host(host)
        preflight.check_root()
        with locked(self.paths.state), self.progress.step(f"cut the power of {host}"):
            self._applier().cut(found)

    def power_off(self, host: str) -> None:
        """Shut a Windows desktop down in order: its services are stopped, then the power goes."""
        found, name = self._windows(host), process(host)
        preflight.check_root()
        with locked(self.paths.state), self.progress.step(f"shut {host} down"):
            desktop.request_power(self.paths, found, "off")
            deadline = time.monotonic() + OFF_SECONDS
            while self._processes().alive(name):
                if time.monotonic() > deadline:
                    raise EyrieError(
                        f"Windows on {host}",
                        seen=f"still on after {OFF_SECONDS:.0f} s",
                        wanted="a shutdown",
                        next_step=f"eyrie lab power-cut {host}",
                    )
                time.sleep(0.1)
            self._applier().cut(found)

    def sessions(self, host: str, sessions: Sequence[Session]) -> None:
        """Say who is logged in on a Windows desktop, and how."""
        desktop.set_sessions(self.paths, self._windows(host), sessions)

    def supply(self, host: str, source: str) -> None:
        """Let a Windows desktop run on `mains` or `battery`, or have no battery (`none`)."""
        supply.write(desktop.supply_folder(self.paths, self._windows(host)), source)

    def cmd(self, host: str, line: str) -> int:
        """Run a line by cmd.exe on a Windows desktop, its streams this process's; return its exit code."""
        return terminal.run(self.topology, self.paths, self._windows(host), line)

    def _windows(self, host: str) -> Host:
        found = self.host(host)
        if not found.is_windows:
            raise EyrieError(host, seen=f"a host of kind {found.kind}", wanted="a Windows desktop")
        return found

    def power_on(self, host: str) -> None:
        """Switch a host on again, with the disk it had."""
        self._check_machine()
        name = self.host(host).name
        with locked(self.paths.state):
            steps = plan(self.topology, self._reader().read())
            missing = [
                step.title for step in steps if not step.done and step.subject not in self.topology.by_name
            ]
            if missing:
                raise EyrieError(
                    f"lab {self.topology.name} is not up",
                    seen=f"not done: {', '.join(missing)}",
                    wanted="a lab that is up but for this host",
                    next_step="eyrie lab up",
                )
            self._apply([step for step in steps if step.subject == name])

    def capture(self, subnet: str, path: Path, seconds: float) -> int:
        """Write down what goes over a subnet's wire; return the number of frames."""
        found = {each.name: each for each in self.topology.subnets}
        if subnet not in found:
            raise EyrieError(
                f"subnet of lab {self.topology.name}", seen=subnet, wanted=f"one of {', '.join(found)}"
            )
        preflight.check_root()
        self._check_up()
        return capture.capture(self.topology, found[subnet], path, seconds)

    def impair(self, wanted: impair.Impairment) -> None:
        """Make the router a bad one, or a good one again."""
        preflight.check_root()
        self._check_up()
        with locked(self.paths.state):
            impair.impair(self.topology, wanted)

    def _check_up(self) -> None:
        if not (namespaces.DIRECTORY / self.topology.router_namespace).exists():
            raise EyrieError(f"lab {self.topology.name} is not up", next_step="eyrie lab up")

    def host(self, name: str) -> Host:
        """Return a host of the lab's file."""
        if name not in self.topology.by_name:
            raise EyrieError(
                f"host of lab {self.topology.name}",
                seen=name,
                wanted=f"one of {', '.join(self.topology.by_name)}",
            )
        return self.topology.by_name[name]

    def _apply(self, steps: Sequence[Step]) -> None:
        applier = self._applier()
        for step in steps:
            if not step.done:
                with self.progress.step(step.title):
                    applier.apply(step)

    def _end_left_overs(self) -> None:
        """An `up` that was killed may have left a builder at work."""
        processes = self._processes()
        for name in processes.names():
            if name.startswith("work."):
                processes.end(name)

    def _check_machine(self) -> None:
        kinds = self.topology.kinds
        preflight.check_root()
        preflight.check_programs(preflight.programs(kinds))
        preflight.check_features(kinds)

    def _check_room(self, present: Present) -> None:
        new = [host for host in self.topology.hosts if host.name not in present.rooted]
        missing = {host.kind for host in new} - present.images
        preflight.check_room(
            {
                self.paths.state: preflight.needed_gib(len(new), ()),
                ImageStore(self.paths.images).directory: preflight.needed_gib(0, missing),
            }
        )

    def _processes(self) -> Processes:
        return Processes(self.topology.name, self.paths.state)

    def _reader(self) -> Reader:
        has_security = "debian-security" in package_server.archives()
        return Reader(self.topology, self.paths, self._processes(), has_security)

    def _applier(self) -> Applier:
        return Applier(self.topology, self.paths, self._processes(), self._reader())


def remove(paths: Paths, progress: Progress) -> None:
    """Remove a lab by its name alone: its file may have changed, or be gone."""
    preflight.check_root()
    with locked(paths.state):
        for title, act in tear_down(paths.name, paths):
            try:
                with progress.step(title):
                    act()
            except (EyrieError, OSError) as error:
                next_step = "put that right and run `eyrie lab down` again"
                raise EyrieError(
                    f"lab {paths.name}, step {title!r} failed: {error}", next_step=next_step
                ) from error
    if paths.state_root.is_dir() and not any(paths.state_root.iterdir()):
        paths.state_root.rmdir()
