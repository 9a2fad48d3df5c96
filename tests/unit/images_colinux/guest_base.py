# SPDX-License-Identifier: GPL-3.0-or-later
"""Bases of guests' images, made by mke2fs of a tree."""

from __future__ import annotations

import subprocess
from pathlib import Path

OF_2_4 = ("-I", "128", "-O", "none,has_journal,filetype,sparse_super,large_file")
CLOCK = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "E2FSPROGS_FAKE_TIME": "1000000000"}
SYSV = """# /etc/inittab
id:2:initdefault:
si::sysinit:/etc/init.d/rcS
~~:S:wait:/sbin/sulogin
l0:0:wait:/etc/init.d/rc 0
ca:12345:ctrlaltdel:/sbin/shutdown -t1 -a -r now
1:2345:respawn:/sbin/getty 38400 tty1
T0:23:respawn:/sbin/getty -L ttyS0 9600 vt100
"""
FILES = {
    "etc/inittab": SYSV,
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n",
    "etc/shadow": "root:$1$abc$known:12000:0:99999:7:::\nuser:*:12000:0:99999:7:::\n",
    "etc/fstab": (
        "# of the base\n/dev/hda1 / ext2 defaults 0 1\n"
        "/dev/hda2 none swap sw 0 0\n/swapfile none swap sw 0 0\n"
        "proc /proc proc defaults 0 0\n/dev/fd0 /floppy auto noauto 0 0\n10.77.0.5:/home /home nfs rw 0 0\n"
    ),
    "etc/network/interfaces": "auto eth0\niface eth0 inet dhcp\n",
    "sbin/init": "an init",
    "usr/sbin/sshd": "a daemon",
}
LINKS = {
    "etc/rc2.d/S20gpm": "../init.d/gpm",
    "etc/rc2.d/S20ssh": "../init.d/ssh",
    "etc/rcS.d/S50hwclock.sh": "../init.d/hwclock.sh",
    "etc/rc6.d/K20gpm": "../init.d/gpm",
}


def tree(folder: Path, files: dict[str, str] | None = None) -> Path:
    """Write the files of a base."""
    for name, text in (FILES if files is None else files).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for name, target in LINKS.items() if files is None else ():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)
    (folder / "dev").mkdir(exist_ok=True)
    (folder / "root").mkdir(exist_ok=True)
    return folder


def image(folder: Path, target: Path, *options: str, mib: int = 8, kind: str = "ext3") -> Path:
    """Let mke2fs make an image of a tree."""
    command = ["mke2fs", "-q", "-F", "-t", kind, *(options or OF_2_4), "-d", str(folder)]
    subprocess.run([*command, str(target), f"{mib}M"], check=True, env=CLOCK, capture_output=True)
    return target
