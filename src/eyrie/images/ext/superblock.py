# SPDX-License-Identifier: GPL-3.0-or-later
"""The few fields of an ext2/3/4 super block that must be right before e2fsprogs is let at an image.

Source: Documentation/filesystems/ext4/super.rst of the kernel.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from eyrie.errors import EyrieError

OFFSET, LENGTH = 1024, 1024
_MAGIC = 0xEF53
_HAS_JOURNAL, _NEEDS_RECOVERY, _EXTENTS, _WIDE = 0x4, 0x4, 0x40, 0x80
# What ext3 of 2.4 knows (include/linux/ext3_fs.h): types of names; sparse super blocks, large files, hashed
# folders.
_INCOMPAT_2_4, _RO_COMPAT_2_4 = 0x2 | _NEEDS_RECOVERY, 0x1 | 0x2 | 0x4
_INODE_2_4 = 128


@dataclass(frozen=True)
class Super:
    """Counts, sizes, and when the file system was last written."""

    blocks: int
    free_blocks: int
    free_inodes: int
    block_size: int
    written: int
    compat: int
    incompat: int
    ro_compat: int
    inode_size: int

    @property
    def name(self) -> str:
        """Which of the family it is."""
        if self.incompat & _EXTENTS:
            return "ext4"
        return "ext3" if self.compat & _HAS_JOURNAL else "ext2"

    @property
    def too_new_for_2_4(self) -> tuple[str, ...]:
        """Say what of it no ext3 of a 2.4 kernel mounts."""
        found = []
        if strange := self.incompat & ~_INCOMPAT_2_4:
            found.append(f"incompatible features 0x{strange:x}")
        if strange := self.ro_compat & ~_RO_COMPAT_2_4:
            found.append(f"features 0x{strange:x} that forbid writing")
        if self.inode_size != _INODE_2_4:
            found.append(f"inodes of {self.inode_size} bytes")
        return tuple(found)


def is_one(head: bytes) -> bool:
    """Whether an image that starts like this says that it is of the ext family."""
    return len(head) >= OFFSET + 58 and struct.unpack_from("<H", head, OFFSET + 56)[0] == _MAGIC


def read_super(head: bytes, length: int) -> Super:
    """Read the super block of an image of `length` bytes, refusing one that cannot be changed safely."""
    if len(head) < OFFSET + LENGTH:
        raise broken("its length (truncated?)", length, f"at least {OFFSET + LENGTH} bytes")
    blocks, _reserved, free_blocks, free_inodes = struct.unpack_from("<4L", head, OFFSET + 4)
    (log_size,) = struct.unpack_from("<L", head, OFFSET + 24)
    (written,) = struct.unpack_from("<L", head, OFFSET + 48)
    compat, incompat, ro_compat = struct.unpack_from("<3L", head, OFFSET + 92)
    revision, inode_size = (
        *struct.unpack_from("<L", head, OFFSET + 76),
        *struct.unpack_from("<H", head, OFFSET + 88),
    )
    if incompat & _WIDE:
        blocks |= struct.unpack_from("<L", head, OFFSET + 0x150)[0] << 32
        free_blocks |= struct.unpack_from("<L", head, OFFSET + 0x158)[0] << 32
    if log_size > 6:
        raise broken("its block size", f"1024 * 2^{log_size}", "at most 64 KiB")
    found = Super(
        blocks,
        free_blocks,
        free_inodes,
        1024 << log_size,
        written,
        compat,
        incompat,
        ro_compat,
        inode_size if revision else _INODE_2_4,  # the first revision has no such field
    )
    if found.blocks * found.block_size > length:
        raise broken("its length (truncated?)", length, f"{found.blocks * found.block_size} as it says")
    if incompat & _NEEDS_RECOVERY:
        raise EyrieError(
            "the ext image has a journal that was never played back",
            wanted="an image that was unmounted cleanly",
            next_step="run e2fsck -f on a copy of it",
        )
    return found


def broken(what: str, seen: object, wanted: str) -> EyrieError:
    """Say what of an ext image is wrong."""
    return EyrieError(
        f"damaged ext image: {what}", seen=seen, wanted=wanted, next_step="check it with e2fsck -fn"
    )
