# SPDX-License-Identifier: GPL-3.0-or-later
"""The ssh keys of a lab: made by the lab itself, so that host key checking stays on."""

from __future__ import annotations

from pathlib import Path

from eyrie.lab.commands import run
from eyrie.lab.model import Host, Topology
from eyrie.lab.paths import Paths
from eyrie.lab.seed import Keys
from eyrie.lab.windows import credentials


def ensure(paths: Paths, topology: Topology) -> None:
    """Make every key that is missing, and write known_hosts."""
    for directory in (paths.state, paths.sockets):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for private in _administrators(paths, topology):
        _pair(private, f"administrator of lab {topology.name}")
    lines = []
    for host in topology.hosts:
        paths.host(host.name).mkdir(mode=0o700, parents=True, exist_ok=True)
        _pair(_host_key(paths, host), host.name)
        kind, key = _public(_host_key(paths, host)).split()[:2]
        lines.append(f"{host.address},{host.name} {kind} {key}\n")
    credentials.ensure(paths, topology)
    temporary = paths.known_hosts.with_suffix(".new")
    temporary.write_text("".join(lines), encoding="ascii")
    temporary.rename(paths.known_hosts)


def are_made(paths: Paths, topology: Topology) -> bool:
    """Whether every key is there and known_hosts names every host."""
    pairs = [*_administrators(paths, topology), *(_host_key(paths, host) for host in topology.hosts)]
    if not credentials.are_made(paths, topology):
        return False
    if not paths.known_hosts.exists() or not all(_is_whole(path) for path in pairs):
        return False
    known = paths.known_hosts.read_text(encoding="ascii")
    return all(f"{host.address},{host.name} " in known for host in topology.hosts)


def of(paths: Paths, host: Host) -> Keys:
    """Return the keys one host needs."""
    private = _host_key(paths, host)
    administrator = _public(paths.node_key if host.is_node else paths.key)
    return Keys(private.read_text(encoding="ascii"), _public(private), administrator)


def _administrators(paths: Paths, topology: Topology) -> list[Path]:
    has_nodes = any(host.is_node for host in topology.hosts)
    return [paths.key, paths.node_key] if has_nodes else [paths.key]


def _host_key(paths: Paths, host: Host) -> Path:
    return paths.host_key(host.name, "rsa" if host.is_node else "ed25519")


def _pair(private: Path, comment: str) -> None:
    if _is_whole(private):
        return
    private.unlink(missing_ok=True)
    # sshd of 2004 reads PEM only.
    kind = ["rsa", "-b", "2048", "-m", "PEM"] if "rsa" in private.name else ["ed25519"]
    run(["ssh-keygen", "-q", "-t", *kind, "-N", "", "-C", comment, "-f", str(private)])


def _is_whole(private: Path) -> bool:
    """ssh-keygen writes the public half last: killed before, it left a private key nobody can use."""
    public = private.with_suffix(".pub")
    return private.exists() and public.exists() and public.read_text(encoding="ascii").endswith("\n")


def _public(private: Path) -> str:
    return private.with_suffix(".pub").read_text(encoding="ascii")
