# SPDX-License-Identifier: GPL-3.0-or-later
"""Read, build and remove network namespaces, and open sockets inside them."""

from __future__ import annotations

import ctypes
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from eyrie.lab.commands import run
from eyrie.lab.model import namespace
from eyrie.lab.network_plan import NamespaceSpec, NamespaceState, States, left_overs

DIRECTORY = Path("/run/netns")
CLONE_NEWNET = 0x40000000


def read(lab: str) -> dict[str, NamespaceState]:
    """Return the state of every namespace of a lab; one that was only half made is left out."""
    return {path.name: _state(path.name) for path in files(lab) if _is_mounted(path)}


def files(lab: str) -> list[Path]:
    """Return the files of a lab's namespaces, whole or half made."""
    return sorted(DIRECTORY.glob(namespace(lab, "*"))) if DIRECTORY.is_dir() else []


def build(spec: NamespaceSpec, states: States) -> None:
    """Bring one namespace to its spec; whatever an earlier try left is replaced."""
    for where, link in left_overs(spec, states):
        run(["ip", "-n", where, "link", "delete", "dev", link])
    if spec.name not in states:
        (DIRECTORY / spec.name).unlink(missing_ok=True)
        run(["ip", "netns", "add", spec.name])
    for where, lines in groupby(spec.commands, key=lambda command: command[0]):
        run(["ip", "-n", where, "-batch", "-"], stdin="".join(f"{line}\n" for _, line in lines))
    if spec.forwards:
        with inside(spec.name):
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")
    run(
        ["ip", "-n", spec.name, "-batch", "-"],
        stdin=f"link set dev lo up\nlink set dev lo alias {spec.mark}\n",
    )


def remove(name: str) -> None:
    """Remove one namespace; its links vanish with it."""
    path = DIRECTORY / name
    if _is_mounted(path):
        run(["ip", "netns", "delete", name])
    path.unlink(missing_ok=True)


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Let this thread, and only it, stand in a namespace for a moment; sockets made there stay there."""
    # os.setns comes only with Python 3.12.
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        target = os.open(DIRECTORY / name, os.O_RDONLY)
        try:
            _enter(libc, target, name)
        finally:
            os.close(target)
        try:
            yield
        finally:
            _enter(libc, home, "the namespace of before")
    finally:
        os.close(home)


def connect(name: str, address: str, port: int, timeout: float) -> socket.socket:
    """Return a TCP connection that starts in the namespace."""
    with inside(name):
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect((address, port))
    except OSError:
        connection.close()
        raise
    return connection


def _enter(libc: ctypes.CDLL, descriptor: int, name: str) -> None:
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: cannot enter {name}")


def _is_mounted(path: Path) -> bool:
    """`ip netns add` makes a file and mounts the namespace on it: killed between, only the file is there."""
    try:
        return path.stat().st_dev != path.parent.stat().st_dev
    except FileNotFoundError:
        return False


def _state(name: str) -> NamespaceState:
    links = json.loads(run(["ip", "-n", name, "-j", "link", "show"]) or "[]")
    marks = [link.get("ifalias", "") for link in links if link["ifname"] == "lo"]
    return NamespaceState(frozenset(link["ifname"] for link in links), marks[0] if marks else "")
