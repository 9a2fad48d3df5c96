# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a lab keeps its things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STATE = Path("/var/lib/eyrie-lab")
CACHE = Path("/var/cache/eyrie")


@dataclass(frozen=True)
class Paths:
    """The files of one lab; everything under `state` goes with `down`, everything under `cache` stays."""

    name: str
    state_root: Path = STATE
    cache: Path = CACHE

    @property
    def state(self) -> Path:
        """Return the lab's own directory."""
        return self.state_root / self.name

    @property
    def key(self) -> Path:
        """Return the private ssh key of the lab's administrator."""
        return self.state / "id_ed25519"

    @property
    def node_key(self) -> Path:
        """Return the administrator's key for openMosix nodes, which know nothing newer than RSA."""
        return self.state / "id_rsa"

    @property
    def node_images(self) -> Path:
        """Return the lab's copies of the genuine openMosix images, and what form its nodes have."""
        return self.state / "openmosix"

    @property
    def known_hosts(self) -> Path:
        """Return the host keys, which the lab made itself."""
        return self.state / "known_hosts"

    @property
    def sockets(self) -> Path:
        """Return the directory of shared ssh connections."""
        return self.state / "ssh"

    @property
    def cache_port(self) -> Path:
        """Return the file that tells the package cache's port on the loopback of the machine."""
        return self.state / "package-cache.port"

    @property
    def images(self) -> Path:
        """Return the store of images, shared by all labs."""
        return self.cache / "lab-images"

    @property
    def packages(self) -> Path:
        """Return the package cache's store, shared by all labs."""
        return self.cache / "packages"

    def host(self, host: str) -> Path:
        """Return the directory of one host."""
        return self.state / "hosts" / host

    def host_key(self, host: str, kind: str = "ed25519") -> Path:
        """Return the private ssh host key of one host."""
        return self.host(host) / f"ssh_host_{kind}_key"

    def root(self, host: str) -> Path:
        """Return where the tree of a container is mounted."""
        return self.host(host) / "root"
