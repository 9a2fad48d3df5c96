# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of kind windows, seen from the lab: how it starts, its own files, its owner, its disk."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab import container, namespaces
from eyrie.lab.model import Host, Topology
from eyrie.lab.paths import Paths
from eyrie.lab.seed import SeedFile, hosts_file, machine_id
from eyrie.lab.windows import credentials
from eyrie.lab.windows.programs import wire
from eyrie.lab.windows.runner import ask
from eyrie.lab.windows.session import Session, script

HTTP, HTTPS = 5985, 5986
DRIVE = "desktop/drive_c"
FOLDER = f"{DRIVE}/windows/eyrie-lab"
ANSWER_SECONDS = 10.0
# Wine is the container's only program, and no session needs XDG's folder: any writable one keeps Wine quiet.
ENVIRONMENT = {"WINEPREFIX": "/desktop", "WINEDEBUG": "-all", "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": "/tmp"}  # noqa: S108
START = "/opt/eyrie-lab/start"


def command(topology: Topology, paths: Paths, host: Host) -> list[str]:
    """Return the command that is the switched-on desktop; it is run in the host's namespace."""
    inner = [word for word in container.command(topology, paths, host) if word != "--boot"]
    told = [f"--setenv={name}={value}" for name, value in ENVIRONMENT.items()]
    spec = {
        "name": host.name,
        "address": str(host.address),
        "root": str(paths.root(host.name)),
        "secret": str(secret_file(paths, host)),
        "user": credentials.USER,
        "password": str(credentials.password_file(paths)),
        "certificate": str(credentials.certificate(paths, host)),
        "command": [*inner, *told, "--as-pid2", "--", START],
        "environment": container.ENVIRONMENT,
    }
    return [sys.executable, "-m", "eyrie.lab.windows.machine", json.dumps(spec)]


def files(topology: Topology, host: Host) -> tuple[SeedFile, ...]:
    """Return the host's own files."""
    return (
        SeedFile("etc/hostname", f"{host.name}\n"),
        SeedFile("etc/hosts", hosts_file(topology)),
        SeedFile("etc/machine-id", machine_id(topology, host) + "\n", 0o444),
    )


def secret_file(paths: Paths, host: Host) -> Path:
    """Return the file with this boot's secret of the broker."""
    return paths.host(host.name) / "broker-secret"


def secret(paths: Paths, host: Host) -> str:
    """Return this boot's secret; of a desktop that never was on there is none, and none is asked for."""
    path = secret_file(paths, host)
    return path.read_text(encoding="ascii") if path.exists() else ""


def supply_folder(paths: Paths, host: Host) -> Path:
    """Return the folder that says what the desktop runs on: mains or battery."""
    return paths.root(host.name) / "opt/eyrie-lab/supply"


def press_key(topology: Topology, paths: Paths, host: Host) -> float:
    """Let the owner press a key; return when."""
    when = time.monotonic()
    _ask(topology, paths, host, "key")
    return when


def boot_id(topology: Topology, paths: Paths, host: Host) -> str:
    """Return what is new at each start of Windows."""
    return str(_ask(topology, paths, host, "status")["boot_id"])


def set_sessions(paths: Paths, host: Host, sessions: Iterable[Session]) -> None:
    """Say who is logged in; the desktop's wtsapi32.dll reads it at its next call."""
    place(paths, host, f"{FOLDER}/sessions", script(sessions).encode())


def request_power(paths: Paths, host: Host, action: str) -> None:
    """Ask Windows to end in order: `off` or `reboot`."""
    place(paths, host, f"{FOLDER}/power", f"{action} 0\n".encode())


def place(paths: Paths, host: Host, name: str, content: bytes) -> None:
    """Put a file onto the desktop's disk in one step."""
    path = paths.root(host.name) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.lab")
    new.write_bytes(content)
    new.rename(path)


def _ask(topology: Topology, paths: Paths, host: Host, order: str) -> dict[str, object]:
    with _expecting_it_on(host):
        return ask(connect(topology, host), secret(paths, host), order)


def connect(topology: Topology, host: Host) -> socket.socket:
    """Return a connection to the broker."""
    with _expecting_it_on(host):
        return namespaces.connect(topology.host_namespace(host), "127.0.0.1", wire.PORT, ANSWER_SECONDS)


@contextmanager
def _expecting_it_on(host: Host) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EyrieError(
            f"Windows on {host.name}",
            seen=str(error),
            wanted="a desktop that is switched on",
            next_step=f"eyrie lab power-on {host.name}",
        ) from error
