# SPDX-License-Identifier: GPL-3.0-or-later
"""The on-disk layout of a Minix v1 file system, as Linux writes it.

Sources: linux/minix_fs.h of the kernel's UAPI headers (structures, magics, limits), and the layout table in
fs/super.h of Minix 1.1: boot block, super block, inode bitmap, zone bitmap, inodes, data zones; all
little-endian, in blocks of 1 KiB.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from eyrie.errors import EyrieError

BLOCK = 1024
MAGICS = {0x137F: 14, 0x138F: 30}  # magic -> longest name
MAGIC_AT = BLOCK + 16
ROOT_INODE = 1
LINK_MAX = 250
DIRECT = 7
POINTERS = BLOCK // 2
MAX_ZONES = DIRECT + POINTERS + POINTERS * POINTERS
INODE_SIZE = 32
_SUPER = struct.Struct("<HHHHHHLHH")
_INODE = struct.Struct("<HHLLBB9H")


@dataclass(frozen=True)
class Super:
    """The super block, and where the parts are (block numbers)."""

    inodes: int
    zones: int
    inode_map_blocks: int
    zone_map_blocks: int
    first_zone: int
    name_length: int

    @property
    def inode_map(self) -> int:
        """Byte offset of the inode bitmap."""
        return 2 * BLOCK

    @property
    def zone_map(self) -> int:
        """Byte offset of the zone bitmap."""
        return (2 + self.inode_map_blocks) * BLOCK

    @property
    def inode_table(self) -> int:
        """Byte offset of inode 1."""
        return (2 + self.inode_map_blocks + self.zone_map_blocks) * BLOCK

    @property
    def entry_size(self) -> int:
        """Bytes of a directory entry."""
        return 2 + self.name_length


@dataclass(frozen=True)
class Inode:
    """One inode; version 1 keeps a group in a single byte."""

    mode: int
    uid: int
    size: int
    time: int
    gid: int
    links: int
    zones: tuple[int, ...]

    def packed(self) -> bytes:
        """Return the inode as it is on disk."""
        return _INODE.pack(self.mode, self.uid, self.size, self.time, self.gid, self.links, *self.zones)


def unpack_inode(data: bytes | bytearray, offset: int) -> Inode:
    """Read the inode at `offset`."""
    mode, uid, size, time, gid, links, *zones = _INODE.unpack_from(data, offset)
    return Inode(mode, uid, size, time, gid, links, tuple(zones))


def read_super(data: bytes | bytearray) -> Super:
    """Read and check the super block against the length of the image."""
    if len(data) < 2 * BLOCK:
        raise broken("its length", len(data), f"at least {2 * BLOCK} bytes")
    fields = _SUPER.unpack_from(data, BLOCK)
    inodes, zones, inode_blocks, zone_blocks, first, log_size, _max_size, magic, _state = fields
    if magic not in MAGICS:
        raise broken("its magic number", hex(magic), "0x137f or 0x138f")
    if log_size:
        raise broken("its zone size", f"{BLOCK << min(log_size, 16)} bytes", f"{BLOCK}, as Linux makes it")
    layout = Super(inodes, zones, inode_blocks, zone_blocks, first, MAGICS[magic])
    _check(layout, len(data))
    return layout


def _check(layout: Super, length: int) -> None:
    if layout.zones * BLOCK > length:
        raise broken("its length (truncated?)", length, f"{layout.zones * BLOCK} as its super block says")
    table_end = layout.inode_table + layout.inodes * INODE_SIZE
    if not layout.inodes or layout.inode_map_blocks * BLOCK * 8 <= layout.inodes:
        raise broken(
            f"its inode bitmap of {layout.inode_map_blocks} blocks", layout.inodes, "those it covers"
        )
    if table_end > layout.first_zone * BLOCK or layout.first_zone >= layout.zones:
        raise broken("its first data zone", layout.first_zone, f"one behind the inodes, below {layout.zones}")
    if layout.zone_map_blocks * BLOCK * 8 < layout.zones - layout.first_zone + 1:
        raise broken(f"its zone bitmap of {layout.zone_map_blocks} blocks", layout.zones, "zones it covers")


def zones_for(size: int) -> int:
    """Return how many zones a file of `size` bytes takes, its pointer zones included."""
    zones = -(-size // BLOCK)
    if zones <= DIRECT:
        return zones
    if zones <= DIRECT + POINTERS:
        return zones + 1
    return zones + 2 + -(-(zones - DIRECT - POINTERS) // POINTERS)


def broken(what: str, seen: object, wanted: str) -> EyrieError:
    """Say what of a Minix image is wrong."""
    return EyrieError(
        f"damaged Minix image: {what}", seen=seen, wanted=wanted, next_step="check it with fsck.minix -f"
    )
