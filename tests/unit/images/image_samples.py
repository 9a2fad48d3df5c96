# SPDX-License-Identifier: GPL-3.0-or-later
"""Small images of known content, made by programs that are not ours."""

from __future__ import annotations

import subprocess
from pathlib import Path

from eyrie.images.minix import MinixFormat
from eyrie.images.model import ImageFile


def empty_minix(path: Path, *, names: int = 30, blocks: int = 360, inodes: int = 64) -> bytes:
    """Let mkfs.minix make an empty file system."""
    path.write_bytes(bytes(blocks * 1024))
    command = ["/usr/sbin/mkfs.minix", "-1", "-n", str(names), "-i", str(inodes), str(path), str(blocks)]
    subprocess.run(command, check=True, capture_output=True)
    return path.read_bytes()


def minix_faults(image: bytes, scratch: Path) -> str:
    """Return what fsck.minix says against an image; nothing of a sound one."""
    scratch.write_bytes(image)
    done = subprocess.run(
        ["/usr/sbin/fsck.minix", "-f", str(scratch)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stdout.splitlines() if line and not line.startswith("Forcing")]
    return "\n".join(said) if done.returncode or said else ""


def filled_minix(empty: bytes) -> bytes:
    """Return a file system with a few files of each size class."""
    files = [
        ImageFile("/etc/motd", 0o644, 0, 0, b"hello\n"),
        ImageFile("/etc/ssh/key", 0o600, 7, 8, b"k" * 3000),
        ImageFile("/bin/sh", 0o4755, 0, 0, b"x" * 20_000),
        ImageFile("/bin/ash", 0o120777, 0, 0, b"sh"),
        ImageFile("/tmp", 0o41777, 0, 0),
    ]
    return MinixFormat(empty).edited(files)


def empty_ext(path: Path, kind: str, *, kib: int = 1024) -> Path:
    """Let mke2fs make an empty file system; a fixed identity keeps the tests the same every time."""
    path.write_bytes(b"")
    options = "hash_seed=8a5b1c2e-0000-4000-8000-000000000001,lazy_itable_init=0"
    command = ["/usr/sbin/mke2fs", "-q", "-t", kind, "-b", "1024", "-N", "64", "-E", options]
    command += ["-U", "8a5b1c2e-0000-4000-8000-000000000002", str(path), str(kib)]
    subprocess.run(
        command, check=True, env={"PATH": "/usr/sbin:/usr/bin", "E2FSPROGS_FAKE_TIME": "1000000000"}
    )
    return path
