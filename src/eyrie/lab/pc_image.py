# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a pc's disk from a tree of packages: GRUB 2 in front, a file system behind, and nothing is mounted."""

from __future__ import annotations

import shutil
from pathlib import Path

from eyrie.lab import pc_disk, vm_image
from eyrie.lab.processes import Processes

GRUB = "usr/lib/grub/i386-pc"
# What GRUB has to know before it can read anything from the disk, and `normal` with its environment block.
GRUB_MODULES = ("biosdisk", "part_msdos", "ext2", "normal", "loadenv")
# Its file system has to be one that GRUB 2.06 reads as well.
FEATURES = "^has_journal,^metadata_csum_seed,^orphan_file"
# For update-grub; what the first start uses is written below in the form that update-grub gives it.
DEFAULTS = """GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX="console=ttyS0 net.ifnames=0 panic=10"
GRUB_CMDLINE_LINUX_DEFAULT=quiet
GRUB_TERMINAL=console
GRUB_DISABLE_LINUX_UUID=true
GRUB_DISABLE_OS_PROBER=true
"""
CONFIG = """set timeout=0
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${{next_entry}}" ] ; then
   set default="${{next_entry}}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="0"
fi
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple' {{
\tinsmod gzio
\tinsmod part_msdos
\tinsmod ext2
\tset root='hd0,msdos1'
\techo\t'Loading Linux {release} ...'
\tlinux\t/boot/vmlinuz-{release} root=/dev/vda1 ro console=ttyS0 net.ifnames=0 panic=10 quiet
\techo\t'Loading initial ramdisk ...'
\tinitrd\t/boot/initrd.img-{release}
}}
if [ -f  ${{config_directory}}/custom.cfg ]; then
  source ${{config_directory}}/custom.cfg
elif [ -z "${{config_directory}}" -a -f  $prefix/custom.cfg ]; then
  source $prefix/custom.cfg
fi
"""
ENVIRONMENT_BLOCK = "# GRUB Environment Block\n".ljust(1024, "#")


def make(root: Path, target: Path, processes: Processes) -> None:
    """Write the disk of the tree `root` into `target`."""
    release = vm_image.only(root / "lib/modules", "*").name
    core = _core(root, target, processes)
    _fill_boot(root, target, release, processes)
    raw = target / "disk.raw"
    start = pc_disk.first_sectors((root / GRUB / "boot.img").read_bytes(), core)
    pc_disk.write(root, raw, start, ["-t", "ext4", "-O", FEATURES], processes)
    pc_disk.pack(raw, target, processes)


def _core(root: Path, target: Path, processes: Processes) -> bytes:
    """Let the tree's own GRUB make its core image."""
    command = ["chroot", str(root), "grub-mkimage", "--format=i386-pc", "--prefix=(hd0,msdos1)/boot/grub"]
    processes.run("work.grub", [*command, "--output=/core.img", *GRUB_MODULES])
    made = (root / "core.img").rename(target / "core.img")
    core = made.read_bytes()
    made.unlink()
    return core


def _fill_boot(root: Path, target: Path, release: str, processes: Processes) -> None:
    boot = root / "boot"
    vm_image.initramfs(root, target, pc_disk.INIT, processes)
    (target / vm_image.INITRAMFS).rename(boot / f"initrd.img-{release}")
    shutil.copytree(
        root / GRUB, boot / "grub/i386-pc", ignore=shutil.ignore_patterns("*.img", "*.exec", "*.image")
    )
    (boot / "grub/grub.cfg").write_text(CONFIG.format(release=release), encoding="ascii")
    (boot / "grub/grubenv").write_text(ENVIRONMENT_BLOCK, encoding="ascii")
    (root / "etc/default/grub").write_text(DEFAULTS, encoding="ascii")
