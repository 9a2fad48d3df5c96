# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the disk of a pc of 2004 from a tree of packages: GRUB 0.97 in front, ext3 behind."""

from __future__ import annotations

import shutil
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab import pc_disk, vm_image
from eyrie.lab.processes import Processes

GRUB = "usr/lib/grub/x86_64-pc"
# As grub-install leaves it: GRUB can write into the file `default` only where there is one.
SET_DEFAULT = ("grub-set-default", "default")
STAGES = ("stage1", "e2fs_stage1_5", "stage2")
# What mke2fs of that time made: small inodes, and no feature that GRUB 0.97 does not know.
EXT3 = ["-t", "ext3", "-I", "128", "-O", "none,has_journal,filetype,sparse_super,large_file"]
# What GRUB's own shell is told to do with the disk, inside the tree that holds it.
SETUP = """device (hd0) /disk.raw
root (hd0,0)
setup (hd0)
quit
"""
MENU = """# Boot menu of GRUB 0.97
default 0
timeout 0
serial --unit=0 --speed=115200
terminal serial

title Debian GNU/Linux, kernel {release}
root (hd0,0)
kernel /boot/vmlinuz-{release} root=/dev/vda1 ro console=ttyS0 net.ifnames=0 panic=10 quiet
initrd /boot/initrd.img-{release}

title Debian GNU/Linux, kernel {release} (single-user mode)
root (hd0,0)
kernel /boot/vmlinuz-{release} root=/dev/vda1 ro console=ttyS0 net.ifnames=0 panic=10 single
initrd /boot/initrd.img-{release}
"""


def make(root: Path, target: Path, processes: Processes) -> None:
    """Write the disk of the tree `root` into `target`."""
    release = vm_image.only(root / "lib/modules", "*").name
    _fill_boot(root, target, release, processes)
    raw = target / "disk.raw"
    pc_disk.write(root, raw, pc_disk.first_sectors(b"", b""), EXT3, processes)
    _setup(root, raw, processes)
    pc_disk.pack(raw, target, processes)


def _fill_boot(root: Path, target: Path, release: str, processes: Processes) -> None:
    boot = root / "boot"
    vm_image.initramfs(root, target, pc_disk.INIT, processes)
    (target / vm_image.INITRAMFS).rename(boot / f"initrd.img-{release}")
    (boot / "grub").mkdir(exist_ok=True)
    for stage in STAGES:
        shutil.copyfile(root / GRUB / stage, boot / "grub" / stage)
    processes.run("work.grub", ["chroot", str(root), *SET_DEFAULT])
    (boot / "grub/menu.lst").write_text(MENU.format(release=release), encoding="ascii")


def _setup(root: Path, raw: Path, processes: Processes) -> None:
    """Let the tree's own GRUB install itself on the disk, which it finds as a file in its root."""
    inside = raw.rename(root / "disk.raw")
    script = 'printf %s "$2" | chroot "$1" grub --batch --no-floppy --device-map=/dev/null'
    try:
        processes.run("work.grub", ["sh", "-c", script, "sh", str(root), SETUP])
    finally:
        inside.rename(raw)
    refuse_unset(raw, processes)


def refuse_unset(raw: Path, processes: Processes) -> None:
    """GRUB's shell ends well whatever its commands say: see whether it wrote its boot code."""
    with raw.open("rb") as file:
        code = file.read(pc_disk.TABLE_OFFSET)
    if not any(code):
        raise EyrieError(
            "boot code of GRUB 0.97 on the disk",
            seen=processes.tail("work.grub"),
            wanted="`setup (hd0)` that succeeds",
            next_step="read what GRUB says",
        )
