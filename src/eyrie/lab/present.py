# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what of a lab is there now: from the kernel, never from what an earlier run believed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from eyrie.lab import keys, namespaces, node_seed, node_vm, seed
from eyrie.lab.images import ImageStore
from eyrie.lab.model import DISK_KINDS, FAKE, GENUINE, PACKAGE_CACHE_PORT, Host, Topology
from eyrie.lab.paths import Paths
from eyrie.lab.plan import Present
from eyrie.lab.processes import Processes
from eyrie.lab.windows import desktop, way_in

BANNER = b"SSH-2.0"
SSH_PORT = 22
SECONDS = 2.0
EMULATED_SECONDS = 20.0


@dataclass(frozen=True)
class Reader:
    """Reads one lab."""

    topology: Topology
    paths: Paths
    processes: Processes
    has_security: bool

    def read(self) -> Present:
        """Return the whole state."""
        hosts = self.topology.hosts
        made = keys.are_made(self.paths, self.topology)
        running = frozenset(host.name for host in hosts if self.processes.alive(process(host.name)))
        rooted = frozenset(host.name for host in hosts if self.is_rooted(host))
        needed = {host.kind for host in hosts if host.name not in rooted}
        store = ImageStore(self.paths.images)
        return Present(
            keys=made,
            namespaces=namespaces.read(self.topology.name),
            package_cache=self.package_cache_answers(),
            proxy=self.proxy_answers(),
            images=frozenset(kind for kind in needed if self._has_image(store, kind)),
            rooted=rooted,
            seeded=frozenset(host.name for host in hosts if made and self.is_seeded(host)),
            running=running,
            answering=frozenset(host.name for host in hosts if host.name in running and self.answers(host)),
            strangers=self.strangers(),
        )

    def is_rooted(self, host: Host) -> bool:
        """Whether the host has the tree or the disk it starts from."""
        if host.kind == GENUINE:
            return node_vm.ramdisk(self.paths, host).exists()
        if host.kind == FAKE:
            return (self.paths.root(host.name) / "libexec").is_dir()
        if host.kind in DISK_KINDS:
            return (self.paths.host(host.name) / "disk.qcow2").exists()
        return os.path.ismount(self.paths.root(host.name))

    def _has_image(self, store: ImageStore, kind: str) -> bool:
        return node_vm.has_images(self.paths) if kind == GENUINE else store.is_good(kind)

    def is_seeded(self, host: Host) -> bool:
        """Whether the host's own files are those it should have."""
        mark = seed_mark(self.paths, host)
        return mark.exists() and mark.read_text(encoding="ascii") == seed.digest(self.seed(host))

    def seed(self, host: Host) -> tuple[seed.SeedFile, ...]:
        """Return the host's own files."""
        if host.is_windows:
            return desktop.files(self.topology, host)
        own = keys.of(self.paths, host)
        if host.is_node:
            return node_seed.files(own)
        return seed.files(self.topology, host, own, has_security=self.has_security)

    def answers(self, host: Host) -> bool:
        """Whether an ssh server greets on the host, or WinRM listens there."""
        if host.is_windows:
            return self._listens(host, desktop.HTTPS)
        try:
            with namespaces.connect(
                self.topology.router_namespace, str(host.address), SSH_PORT, SECONDS
            ) as connection:
                # Who hangs up on an emulated sshd before it greets, and asks again, keeps it from ever
                # greeting: each connection starts a program there, and sshd refuses more than ten.
                connection.settimeout(EMULATED_SECONDS if host.is_emulated else SECONDS)
                return connection.recv(len(BANNER)) == BANNER
        except OSError:
            return False

    def _listens(self, host: Host, port: int) -> bool:
        try:
            with namespaces.connect(self.topology.router_namespace, str(host.address), port, SECONDS):
                return True
        except OSError:
            return False

    def proxy_answers(self) -> bool:
        """Whether the way to the Windows desktops is there, to just those that the lab has."""
        record = self.processes.alive(way_in.PROCESS)
        return record is not None and way_in.answers(self.paths)

    def package_cache_answers(self) -> bool:
        """Whether the lab's package cache runs and listens."""
        if not self.processes.alive("package-cache") or not self.paths.cache_port.exists():
            return False
        try:
            router = str(self.topology.subnets[0].router)
            with namespaces.connect(self.topology.router_namespace, router, PACKAGE_CACHE_PORT, SECONDS):
                return True
        except OSError:
            return False

    def strangers(self) -> tuple[str, ...]:
        """Return hosts that an earlier lab file had."""
        directory = self.paths.state / "hosts"
        there = sorted(path.name for path in directory.iterdir()) if directory.is_dir() else []
        return tuple(name for name in there if name not in self.topology.by_name)


def process(host: str) -> str:
    """Return the name of the process that is a host."""
    return f"host.{host}"


def seed_mark(paths: Paths, host: Host) -> Path:
    """Return the file that tells which own files the host was given."""
    return paths.host(host.name) / "seeded"
