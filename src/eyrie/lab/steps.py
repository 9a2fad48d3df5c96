# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry out the steps of a plan, each by its verb, and nothing else."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab import (
    cgroups,
    container,
    keys,
    namespaces,
    network_plan,
    node_fake,
    node_vm,
    package_server,
    pc,
    seed,
    ssh,
    vm,
)
from eyrie.lab.commands import run
from eyrie.lab.images import ImageStore
from eyrie.lab.model import DISK_KINDS, FAKE, GENUINE, PC, PC_LEGACY, WINDOWS, Host, Topology, namespace
from eyrie.lab.paths import Paths
from eyrie.lab.plan import Step
from eyrie.lab.present import Reader, process, seed_mark
from eyrie.lab.processes import Processes
from eyrie.lab.windows import desktop, registry, way_in

ANSWER_SECONDS = {"container": 90.0, WINDOWS: 90.0, "openmosix-fake": 60.0}
EMULATED_ANSWER_SECONDS = 360.0
CACHE_SECONDS = 30.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Applier:
    """Does steps of one lab."""

    topology: Topology
    paths: Paths
    processes: Processes
    reader: Reader

    def apply(self, step: Step) -> None:
        """Do one step; an error names it."""
        verbs: Mapping[str, Callable[[Step], None]] = {
            "keys": lambda _: keys.ensure(self.paths, self.topology),
            "remove": lambda step: self.remove(step.subject),
            "network": self._network,
            "cache": lambda _: self._package_cache(),
            "proxy": lambda _: self._proxy(),
            "image": self._image,
            "prepare": lambda step: self._prepare(self._host(step)),
            "boot": lambda step: self._boot(self._host(step)),
            "answer": lambda step: self._answer(self._host(step)),
        }
        try:
            verbs[step.verb](step)
        except (EyrieError, OSError) as error:
            raise EyrieError(
                f"lab {self.topology.name}, step {step.title!r} failed: {error}",
                next_step="put that right and run `eyrie lab up` again, or `eyrie lab down`",
            ) from error

    def cut(self, host: Host) -> None:
        """Cut a host's power: the cable goes first, so that not even the kernel's farewell gets out."""
        far, port = self.topology.subnet_namespace(host.subnet), network_plan.port(host)
        state = namespaces.read(self.topology.name).get(far)
        if state is not None and port in state.links:
            run(["ip", "-n", far, "link", "delete", "dev", port])
        if host.is_windows and self.processes.alive(process(host.name)):
            registry.keep(self.topology.host_namespace(host))
        self.processes.end(process(host.name))
        namespaces.remove(self.topology.host_namespace(host))
        ssh.close(self.paths, f"{host.name}.*")

    def remove(self, name: str) -> None:
        """Remove a host that the lab's file no longer has."""
        self.processes.end(process(name))
        namespaces.remove(namespace(self.topology.name, "host", name))
        ssh.close(self.paths, f"{name}.*")
        _remove_tree(self.paths.host(name))

    def _host(self, step: Step) -> Host:
        return self.topology.by_name[step.subject]

    def _network(self, step: Step) -> None:
        if step.spec is not None:
            namespaces.build(step.spec, namespaces.read(self.topology.name))

    def _package_cache(self) -> None:
        name = "package-cache"
        self.processes.end(name)
        self.paths.cache_port.unlink(missing_ok=True)
        command = package_server.command(
            self.topology.router_namespace, self.paths.packages, self.paths.cache_port
        )
        self.processes.start(name, command)
        self._wait(name, self.reader.package_cache_answers, CACHE_SECONDS)

    def _proxy(self) -> None:
        name = way_in.PROCESS
        self.processes.end(name)
        way_in.port_file(self.paths).unlink(missing_ok=True)
        targets = [
            f"{host.address}:{port}"
            for host in self.topology.hosts
            if host.is_windows
            for port in (desktop.HTTP, desktop.HTTPS)
        ]
        self.processes.start(name, way_in.command(self.paths, self.topology.router_namespace, targets))
        self._wait(name, self.reader.proxy_answers, CACHE_SECONDS)

    def _image(self, step: Step) -> None:
        if step.subject == GENUINE:
            node_vm.take_images(self.paths)
            return
        port = self.paths.cache_port.read_text(encoding="ascii")
        mirror = f"http://127.0.0.1:{port}/debian"
        ImageStore(self.paths.images).build(step.subject, mirror, self.processes)

    def _prepare(self, host: Host) -> None:
        files = self.reader.seed(host)
        image = self._image_of(host)
        if host.kind == GENUINE:
            node_vm.prepare(self.paths, host, files)
        elif host.kind == FAKE:
            node_fake.prepare(self.paths, host, image, files)
        elif host.kind in DISK_KINDS:
            vm.prepare(self.paths, host, image, files)
        else:
            if not self.reader.is_rooted(host):
                self.processes.end(process(host.name))
                container.mount(self.paths, host, image)
            seed.write(files, self.paths.root(host.name))
        seed_mark(self.paths, host).write_text(seed.digest(files), encoding="ascii")

    def _boot(self, host: Host) -> None:
        name, within = process(host.name), self.topology.host_namespace(host)
        if host.kind in ("container", WINDOWS):
            container.release(container.machine(self.topology, host))
        if host.kind == "container":
            command = container.command(self.topology, self.paths, host)
            self.processes.start(name, command, environment=container.ENVIRONMENT)
            return
        if host.kind == FAKE:  # like a genuine one it has no disk: each start begins with the image
            self._prepare(host)
        commands: Mapping[str, Callable[[], list[str]]] = {
            "vm": lambda: vm.command(self.paths, host, self._image_of(host)),
            PC: lambda: pc.command(self.paths, host),
            PC_LEGACY: lambda: pc.command(self.paths, host),
            GENUINE: lambda: node_vm.command(self.paths, host),
            FAKE: lambda: node_fake.command(self.paths, host, self._image_of(host)),
            WINDOWS: lambda: desktop.command(self.topology, self.paths, host),
        }
        self.processes.start(name, commands[host.kind](), namespace=within)

    def _image_of(self, host: Host) -> Path:
        """Return the shared image of a host; genuine nodes have the lab's own copies instead."""
        store = ImageStore(self.paths.images)
        return self.paths.node_images if host.kind == GENUINE else store.path(host.kind)

    def _answer(self, host: Host) -> None:
        seconds = ANSWER_SECONDS.get(host.kind, EMULATED_ANSWER_SECONDS)
        self._wait(process(host.name), lambda: self.reader.answers(host), seconds)

    def _wait(self, name: str, is_ready: Callable[[], bool], seconds: float) -> None:
        """Wait until a process serves; if it ends instead, say what it said."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            alive = self.processes.alive(name)
            if alive is None or time.monotonic() > deadline:
                raise EyrieError(
                    f"{name} {'does not answer' if alive else 'ended'}",
                    seen=self.processes.tail(name),
                    wanted=f"an answer within {seconds:.0f} s",
                    next_step=f"read {self.processes.log(name)}",
                )
            time.sleep(POLL_SECONDS)


def tear_down(lab: str, paths: Paths) -> list[tuple[str, Callable[[], None]]]:
    """Return the steps that remove a lab, whatever state it is in; they need no lab file."""
    processes = Processes(lab, paths.state)
    return [
        ("close ssh connections", lambda: ssh.close(paths)),
        ("end its processes", lambda: _end_all(processes)),
        ("remove its namespaces", lambda: _remove_namespaces(lab)),
        ("forget its containers", lambda: container.forget(lab, paths)),
        ("unmount its trees", lambda: _unmount(paths.state)),
        ("remove its directory", lambda: _remove_tree(paths.state)),
    ]


def _end_all(processes: Processes) -> None:
    for name in processes.names():
        processes.end(name)
    if not cgroups.systemd_is_manager():
        cgroups.end(processes.lab)


def _remove_namespaces(lab: str) -> None:
    for path in namespaces.files(lab):
        namespaces.remove(path.name)


def _remove_tree(path: Path) -> None:
    """Remove a directory, after whatever is mounted below it: never reach through a mount."""
    _unmount(path)
    if path.exists():
        shutil.rmtree(path)


def _unmount(below: Path) -> None:
    """Unmount everything below a directory, the deepest first."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    for point in sorted(container.mount_points(mounts, below), reverse=True):
        run(["umount", point])
