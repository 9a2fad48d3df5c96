# SPDX-License-Identifier: GPL-3.0-or-later
"""Before anything is changed: is this a machine that a lab can run on? Each complaint names its remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab.model import DISK_KINDS, GENUINE

# program -> Debian package
COMMON = {
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
}
_DISK_VM = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mke2fs": "e2fsprogs",
    "cpio": "cpio",
}
BY_KIND = {
    "container": {"systemd-nspawn": "systemd-container", "nft": "nftables"},
    "windows": {"systemd-nspawn": "systemd-container"},
    "vm": _DISK_VM,
    "pc": _DISK_VM,
    "pc-grub-legacy": _DISK_VM,
    "openmosix": {"qemu-system-i386": "qemu-system-x86"},
    "openmosix-fake": {"chroot": "coreutils"},
}
# Each runs in a namespace that ends with it. A container's own firewall needs nft of this kernel.
FEATURES = {
    "veth": ["ip", "link", "add", "dev", "one", "type", "veth", "peer", "name", "two"],
    "bridge": ["ip", "link", "add", "dev", "one", "type", "bridge"],
    "nft": ["nft", "add", "table", "inet", "eyrie-probe"],
}
GIB = 1 << 30
HOST_GIB = 0.5
IMAGE_GIB = {
    "container": 1.0,
    "windows": 2.0,
    "vm": 2.0,
    "pc": 2.0,
    "pc-grub-legacy": 2.0,
    "openmosix": 0.1,
    "openmosix-fake": 0.2,
}


def check_root(effective_user: int | None = None) -> None:
    """Refuse anyone but root."""
    user = os.geteuid() if effective_user is None else effective_user
    if user != 0:
        raise EyrieError(
            "the lab makes network namespaces and containers",
            seen=f"user {user}",
            wanted="root",
            next_step="run it with sudo or as root",
        )


def programs(kinds: Iterable[str]) -> dict[str, str]:
    """Return the programs that hosts of these kinds need, with their Debian packages."""
    wanted = dict(COMMON)
    for kind in kinds:
        wanted |= BY_KIND[kind]
    return wanted


def check_programs(wanted: Mapping[str, str], find: Callable[[str], str | None] = shutil.which) -> None:
    """Refuse to start without a program, naming the packages that hold what is missing."""
    missing = [program for program in sorted(wanted) if find(program) is None]
    if missing:
        packages = " ".join(sorted({wanted[program] for program in missing}))
        raise EyrieError(
            f"programs missing: {', '.join(missing)}",
            wanted=f"the Debian packages {packages}",
            next_step=f"apt-get install {packages}",
        )


def check_features(kinds: Iterable[str]) -> None:
    """Refuse a kernel that lacks what the lab is made of."""
    wanted = [name for name in FEATURES if name != "nft" or "container" in kinds]
    missing = [name for name in wanted if not _works(["unshare", "--net", *FEATURES[name]])]
    if {"container", "windows"} & set(kinds) and not _has_overlay():
        missing.append("overlay")
    if {*DISK_KINDS, GENUINE} & set(kinds) and not Path("/dev/net/tun").exists():
        missing.append("tun")
    refuse_missing_features(missing)


def refuse_missing_features(missing: list[str]) -> None:
    """Say which features of the kernel are missing."""
    if missing:
        raise EyrieError(
            f"the kernel lacks {', '.join(missing)}",
            seen=os.uname().release,
            wanted="a kernel with overlayfs, veth, bridge and nf_tables, as Debian's has",
            next_step=f"modprobe {' '.join(missing).replace('nft', 'nf_tables')}, or start Debian's kernel",
        )


def needed_gib(new_hosts: int, missing_images: Iterable[str]) -> float:
    """Return the room that the lab still needs: new hosts grow by what is installed on them."""
    return new_hosts * HOST_GIB + sum(IMAGE_GIB[kind] for kind in missing_images)


def check_room(needs: Mapping[Path, float], free: Callable[[Path], tuple[int, int]] | None = None) -> None:
    """Refuse to fill a disk; needs on the same file system add up."""
    read = free or _free
    sums: dict[int, tuple[Path, float, int]] = {}
    for path, gib in needs.items():
        device, room = read(path)
        _, before, _ = sums.get(device, (path, 0.0, room))
        sums[device] = (path, before + gib, room)
    for path, gib, room in sums.values():
        if room < gib * GIB:
            raise EyrieError(
                f"no room on the disk of {path}",
                seen=f"{room / GIB:.1f} GiB free",
                wanted=f"{gib:.1f} GiB",
                next_step="make room there, then try again",
            )


def _free(path: Path) -> tuple[int, int]:
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    return existing.stat().st_dev, shutil.disk_usage(existing).free


def _has_overlay() -> bool:
    listed = "overlay" in Path("/proc/filesystems").read_text(encoding="ascii")
    return listed or (shutil.which("modprobe") is not None and _works(["modprobe", "overlay"]))


def _works(argv: list[str]) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
