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
# virtio_pci and ext4 are built into Debian's cloud kernel, the disk's driver is not.
MODULE = "kernel/drivers/block/virtio_blk.ko.xz"

# The second disk is a tar archive with what makes this host this host: unpacked anew at each start.
INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox insmod /virtio_blk.ko
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
    for directory in ("bin", "dev", "proc", "root"):
        (tree / directory).mkdir(parents=True)
    shutil.copy(root / "bin/busybox", tree / "bin/busybox")
    module = only(root / "lib/modules", "*") / MODULE
    (tree / "virtio_blk.ko").write_bytes(lzma.decompress(module.read_bytes()))
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
