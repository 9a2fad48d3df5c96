# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a vm's disk, kernel and start-up archive from a tree of packages; nothing is ever mounted for it."""

from __future__ import annotations

import lzma
import shutil
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab.processes import Processes

DISK = "disk.qcow2"
KERNEL = "vmlinuz"
INITRAMFS = "initramfs.cpio"
DISK_GIB = 4
# What a kernel needs to see its disk, in the order of loading. Debian 13's has all but the last built in.
MODULES = (
    "virtio",
    "virtio_ring",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "virtio_blk",
)

# The second disk is a tar archive with what makes this host this host: unpacked anew at each start.
INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
for module in /modules/*; do
    /bin/busybox insmod $module
done
tries=0
until [ -b /dev/vdb ] || [ $tries -ge 100 ]; do
    /bin/busybox sleep 0.1
    tries=$((tries + 1))
done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox tar -xf /dev/vdb -C /root
/bin/busybox umount /proc
/bin/busybox mount -o move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
"""


def make(root: Path, target: Path, processes: Processes) -> None:
    """Write disk, kernel and start-up archive of the tree `root` into `target`."""
    shutil.copyfile(only(root / "boot", "vmlinuz-*"), target / KERNEL)
    initramfs(root, target, INIT, processes)
    raw = target / "disk.raw"
    with raw.open("wb") as file:
        file.truncate(DISK_GIB << 30)
    processes.run(
        "work.disk", ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", str(root), str(raw)]
    )
    processes.run("work.disk", ["qemu-img", "convert", "-O", "qcow2", str(raw), str(target / DISK)])
    raw.unlink()


def initramfs(root: Path, target: Path, init: str, processes: Processes) -> None:
    """Write the small archive that a kernel starts from: it finds the disk and unpacks the host's files."""
    tree = target / "initramfs"
    for directory in ("bin", "dev", "modules", "proc", "root"):
        (tree / directory).mkdir(parents=True)
    shutil.copy(root / "bin/busybox", tree / "bin/busybox")
    drivers = only(root / "lib/modules", "*") / "kernel/drivers"
    for number, name in enumerate(MODULES):
        for module in drivers.rglob(f"{name}.ko*"):
            data = module.read_bytes()
            plain = lzma.decompress(data) if module.suffix == ".xz" else data
            (tree / f"modules/{number}-{name}.ko").write_bytes(plain)
    (tree / "init").write_text(init, encoding="ascii")
    (tree / "init").chmod(0o755)
    script = 'cd "$1" && find . | sort | cpio --quiet -o -H newc > "$2"'
    processes.run("work.initramfs", ["sh", "-c", script, "sh", str(tree), str(target / INITRAMFS)])
    shutil.rmtree(tree)


def only(directory: Path, pattern: str) -> Path:
    """Return the one path of this pattern."""
    found = sorted(directory.glob(pattern))
    if len(found) != 1:
        raise EyrieError(
            f"vm image: {pattern} in {directory}", seen=[path.name for path in found], wanted="one"
        )
    return found[0]
