# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of kind container: systemd-nspawn on an overlay over the shared image."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from eyrie.lab.commands import run
from eyrie.lab.model import Host, Topology, namespace
from eyrie.lab.paths import Paths

ENVIRONMENT = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
NSPAWN_RUNTIME = Path("/run/systemd/nspawn")


def machine(topology: Topology, host: Host) -> str:
    """Return the name nspawn knows the container by, unlike that of any other lab's."""
    return namespace(topology.name, host.name)


def command(topology: Topology, paths: Paths, host: Host) -> list[str]:
    """Return the command that boots the container (and becomes its supervisor)."""
    return [
        "systemd-nspawn",
        "--quiet",
        "--register=no",
        "--keep-unit",
        f"--directory={paths.root(host.name)}",
        f"--machine={machine(topology, host)}",
        f"--hostname={host.name}",
        f"--network-namespace-path=/run/netns/{topology.host_namespace(host)}",
        "--capability=CAP_NET_ADMIN",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=pipe",
        "--boot",
    ]


def mount(paths: Paths, host: Host, image: Path) -> None:
    """Lay the host's own files over the image, which stays as it is."""
    base = paths.host(host.name)
    for directory in ("upper", "work", "root"):
        (base / directory).mkdir(parents=True, exist_ok=True)
    (base / "upper").chmod(0o755)
    layers = f"lowerdir={image / 'root'},upperdir={base / 'upper'},workdir={base / 'work'}"
    run(["mount", "-t", "overlay", "eyrie-lab", "-o", layers, str(paths.root(host.name))])


def unmount(paths: Paths, mounts: str) -> None:
    """Unmount everything below the lab's directory, the deepest first."""
    for point in sorted(mount_points(mounts, paths.state), reverse=True):
        run(["umount", point])


def mount_points(mounts: str, below: Path) -> list[str]:
    """Return the mount points below a directory, from the text of /proc/self/mounts."""
    points = [line.split()[1].replace("\\040", " ") for line in mounts.splitlines() if line.strip()]
    return [point for point in points if Path(point).is_relative_to(below)]


def forget(lab: str) -> None:
    """Remove what nspawn keeps outside: it has no chance to when it is killed."""
    for pattern in ("propagate", "unix-export", "locks"):
        directory = NSPAWN_RUNTIME / pattern
        for path in directory.glob(f"*{namespace(lab, '*')}") if directory.is_dir() else []:
            if os.path.ismount(path):
                run(["umount", str(path)])
            shutil.rmtree(path) if path.is_dir() else path.unlink()
