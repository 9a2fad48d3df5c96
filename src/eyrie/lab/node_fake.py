# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake openMosix node of a lab: a process in namespaces of its own that acts like a genuine one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from eyrie.lab.fake_node import tree
from eyrie.lab.model import Host
from eyrie.lab.paths import Paths
from eyrie.lab.seed import SeedFile

MOUNTS_AND_PROCESSES = (
    "--mount",
    "--pid",
    "--uts",
    "--ipc",
    "--fork",
    "--kill-child",
    "--propagation=private",
)


def command(paths: Paths, host: Host, image: Path) -> list[str]:
    """Return the command that is the node; it is run in the node's network namespace."""
    program = [sys.executable, "-m", "eyrie.lab.fake_node"]
    node = [str(paths.root(host.name)), str(image / "root"), str(host.address), host_name(host)]
    return ["unshare", *MOUNTS_AND_PROCESSES, "--", *program, *node]


def host_name(host: Host) -> str:
    """Return the name that a genuine node gives itself."""
    return f"chaos-{int(host.address):x}"


def prepare(paths: Paths, host: Host, image: Path, files: tuple[SeedFile, ...]) -> None:
    """Lay the node's tree out anew: a genuine node, which has no disk, forgets everything, too."""
    root = paths.root(host.name)
    if root.exists():
        shutil.rmtree(root)
    hosts = f"127.0.0.1 localhost localhost.localdomain\n{host.address} {host_name(host)}\n"
    tree.build(image / "root", root, files, hosts)
