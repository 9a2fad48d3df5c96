# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that make an image into one particular host. Pure, but for the two functions at the end."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from eyrie.lab.model import DISK_KINDS, PACKAGE_CACHE_PORT, Host, Topology
from eyrie.lab.recipes import RECIPES

OWNER_ID = 1000  # the first user that `useradd` makes
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class SeedFile:
    """One file; missing directories above it are made with the same owner."""

    path: str  # relative to the root of the host
    content: str
    mode: int = 0o644
    owner: int = 0


@dataclass(frozen=True)
class Keys:
    """The keys a host needs to know."""

    host_private: str
    host_public: str
    administrator: str  # public


def files(topology: Topology, host: Host, keys: Keys, *, has_security: bool) -> tuple[SeedFile, ...]:
    """Return the files of one host."""
    seed = [
        SeedFile("etc/hostname", f"{host.name}\n"),
        SeedFile("etc/hosts", hosts_file(topology)),
        SeedFile("etc/machine-id", machine_id(topology, host) + "\n", 0o444),
        SeedFile("etc/ssh/ssh_host_ed25519_key", keys.host_private, 0o600),
        SeedFile("etc/ssh/ssh_host_ed25519_key.pub", keys.host_public),
        SeedFile("root/.ssh/authorized_keys", keys.administrator, 0o600),
        SeedFile("etc/apt/sources.list", "# see sources.list.d/lab.sources\n"),
        SeedFile("etc/apt/sources.list.d/lab.sources", apt_sources(host, has_security=has_security)),
    ]
    if host.is_desktop:
        seed.append(SeedFile("home/owner/.ssh/authorized_keys", keys.administrator, 0o600, OWNER_ID))
    if host.kind in DISK_KINDS:
        seed.append(SeedFile("etc/systemd/network/10-lab.network", networkd(host)))
    return tuple(seed)


def hosts_file(topology: Topology) -> str:
    """Return /etc/hosts with every host of the lab."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    return "\n".join([*lines, *(f"{host.address} {host.name}" for host in topology.hosts)]) + "\n"


def machine_id(topology: Topology, host: Host) -> str:
    """Return an id of this host of this lab, the same at each start."""
    return hashlib.sha256(f"machine-id {topology.name}/{host.name}".encode()).hexdigest()[:32]


def package_cache(host: Host) -> str:
    """Return the address of the lab's package cache as a host sees it: on the router."""
    return f"http://{host.subnet.router}:{PACKAGE_CACHE_PORT}"


def apt_sources(host: Host, *, has_security: bool) -> str:
    """Return apt's sources: only the lab's cache."""
    suite = RECIPES[host.kind].suite
    archives = [("debian", suite)] + ([("debian-security", f"{suite}-security")] if has_security else [])
    stanza = "Types: deb\nURIs: {}/{}\nSuites: {}\nComponents: main\nSigned-By: {}\n"
    return "\n".join(stanza.format(package_cache(host), path, suite, KEYRING) for path, suite in archives)


def networkd(host: Host) -> str:
    """Return a vm's network, found by its MAC."""
    return (
        f"[Match]\nMACAddress={host.mac}\n\n[Network]\nAddress={host.address}/{host.subnet.network.prefixlen}\n"
        f"Gateway={host.subnet.router}\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )


def digest(seed: Iterable[SeedFile]) -> str:
    """Return a hash that changes with any file."""
    return hashlib.sha256(repr(tuple(seed)).encode()).hexdigest()


def write(seed: Iterable[SeedFile], root: Path) -> None:
    """Write the files into a tree."""
    for file in seed:
        path = root / file.path
        for parent in reversed(path.relative_to(root).parents):
            if not (root / parent).exists():
                (root / parent).mkdir(mode=0o700)
                os.chown(root / parent, file.owner, file.owner)
        temporary = path.with_name(f".{path.name}.lab")
        temporary.write_text(file.content, encoding="utf-8")
        temporary.chmod(file.mode)
        os.chown(temporary, file.owner, file.owner)
        temporary.rename(path)


def archive(seed: Iterable[SeedFile]) -> bytes:
    """Return the files as a tar archive, directories with their owner first."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for file in seed:
            parent = PurePosixPath(file.path).parent
            if parent.name == ".ssh":
                tar.addfile(_entry(str(parent), file.owner, 0o700, tarfile.DIRTYPE))
            content = file.content.encode()
            entry = _entry(file.path, file.owner, file.mode, tarfile.REGTYPE)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _entry(name: str, owner: int, mode: int, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.uid = entry.gid = owner
    entry.mode = mode
    entry.type = kind
    return entry
