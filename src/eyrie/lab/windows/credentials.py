# SPDX-License-Identifier: GPL-3.0-or-later
"""What lets clients trust a lab's Windows desktops, and log in: made anew for each lab, gone with it."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from eyrie.credentials.authority import WantedCertificate, issue, new_authority
from eyrie.lab.model import Host, Topology
from eyrie.lab.paths import Paths

USER = "pool-admin"
DAYS = 365


def authority(paths: Paths) -> Path:
    """Return the certificate of the lab's authority."""
    return paths.state / "windows" / "ca.pem"


def certificate(paths: Paths, host: Host) -> Path:
    """Return a desktop's certificate with its key."""
    return paths.host(host.name) / "winrm.pem"


def password_file(paths: Paths) -> Path:
    """Return the file with the password of the desktops' administrator."""
    return paths.state / "windows" / "password"


def desktops(topology: Topology) -> list[Host]:
    """Return the lab's Windows desktops."""
    return [host for host in topology.hosts if host.is_windows]


def are_made(paths: Paths, topology: Topology) -> bool:
    """Whether all is there that the lab's Windows desktops need; what is there is whole."""
    wanted = desktops(topology)
    files = [authority(paths), password_file(paths), *(certificate(paths, host) for host in wanted)]
    return not wanted or all(path.exists() for path in files)


def ensure(paths: Paths, topology: Topology) -> None:
    """Make what is missing; a new authority signs everything anew."""
    if are_made(paths, topology):
        return
    authority(paths).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not password_file(paths).exists():
        _write(password_file(paths), secrets.token_urlsafe(18).encode())
    now = datetime.now(UTC)
    made = new_authority(f"lab {topology.name}", now)
    for host in desktops(topology):
        wanted = WantedCertificate((host.name, str(host.address)), DAYS)
        _write(certificate(paths, host), issue(made, wanted, now).encode())
    # Last, and its key nowhere: whoever has this file has certificates that it signed.
    _write(authority(paths), made.certificate.encode())


def _write(path: Path, content: bytes) -> None:
    """Write a file that only root reads, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    new.rename(path)
