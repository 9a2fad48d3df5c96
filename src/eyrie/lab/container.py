# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of kind container: systemd-nspawn on an overlay over the shared image."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from eyrie.lab.commands import run
from eyrie.lab.model import Host, Topology, namespace
from eyrie.lab.paths import Paths

ENVIRONMENT = {
    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
    # A host has a network namespace of its own, so the network's part of /proc/sys is its own as well.
    "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
}
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


def mount_points(mounts: str, below: Path) -> list[str]:
    """Return the mount points below a directory, from the text of /proc/self/mounts."""
    points = [line.split()[1].replace("\\040", " ") for line in mounts.splitlines() if line.strip()]
    return [point for point in points if Path(point).is_relative_to(below)]


def release(machines: str) -> None:
    """Remove what nspawn keeps outside for machines (a pattern): killed, it had no chance to.

    nspawn of systemd 257 refuses to start a machine over it.
    """
    for name in ("propagate", "unix-export"):
        for path in sorted((NSPAWN_RUNTIME / name).glob(machines)):
            if os.path.ismount(path):
                run(["umount", str(path)])
            shutil.rmtree(path)


def forget(lab: str, paths: Paths) -> None:
    """Remove what nspawn keeps outside for a lab, while its trees are still mounted."""
    release(namespace(lab, "*"))
    for root in sorted(paths.state.glob("hosts/*/root")):
        info = root.stat()
        (NSPAWN_RUNTIME / "locks" / f"inode-{info.st_dev}:{info.st_ino}").unlink(missing_ok=True)
