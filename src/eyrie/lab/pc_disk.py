# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk of a pc: boot code and one partition, made from a tree of files, and nothing is mounted for it."""

from __future__ import annotations

from pathlib import Path

from eyrie.lab import vm_image
from eyrie.lab.processes import Processes

DISK_GIB = 3
SECTOR = 512
PARTITION_SECTOR = 2048  # at 1 MiB, as every partitioning program of today has it
# The partition table lies in the first sector behind the boot code.
TABLE_OFFSET = 446
LINUX = 0x83
INIT = vm_image.INIT.replace("/dev/vda ", "/dev/vda1 ")


def write(root: Path, raw: Path, start: bytes, options: list[str], processes: Processes) -> None:
    """Write `start` and behind it a file system of the tree `root`; `options` are mke2fs's."""
    raw.write_bytes(start)
    with raw.open("r+b") as file:
        file.truncate(DISK_GIB << 30)
    kib = (DISK_GIB << 20) - PARTITION_SECTOR * SECTOR // 1024
    where = ["-E", f"offset={PARTITION_SECTOR * SECTOR}", "-d", str(root), str(raw), f"{kib}k"]
    processes.run("work.disk", ["mke2fs", "-q", *options, *where])


def pack(raw: Path, target: Path, processes: Processes) -> None:
    """Turn the raw disk into the one that hosts stand on."""
    convert = ["qemu-img", "convert", "-O", "qcow2", str(raw), str(target / vm_image.DISK)]
    processes.run("work.disk", convert)
    raw.unlink()


def first_sectors(boot: bytes, core: bytes) -> bytes:
    """Return what lies before the partition: boot code, partition table, and what follows the boot code.

    GRUB 2's images are made so that its core follows at once; nothing in them has to be changed.
    """
    room = PARTITION_SECTOR * SECTOR
    table = _partition(PARTITION_SECTOR, (DISK_GIB << 30) // SECTOR - PARTITION_SECTOR)
    start = boot[:TABLE_OFFSET].ljust(TABLE_OFFSET, b"\0") + table.ljust(64, b"\0") + b"\x55\xaa"
    if len(start) + len(core) > room:
        raise ValueError(f"GRUB's core takes {len(core)} bytes, the room before the partition is {room}")
    return (start + core).ljust(room, b"\0")


def _partition(first: int, count: int) -> bytes:
    """Return one entry of the table: active, cylinders beyond what they can tell."""
    cylinders = b"\xfe\xff\xff"
    return (
        b"\x80"
        + cylinders
        + bytes([LINUX])
        + cylinders
        + first.to_bytes(4, "little")
        + count.to_bytes(4, "little")
    )
