# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry out planned steps in a Minix v1 file system that `read` has proven sound."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import replace

from eyrie.errors import EyrieError
from eyrie.images.minix.layout import BLOCK, DIRECT, INODE_SIZE, LINK_MAX, POINTERS, Inode, zones_for
from eyrie.images.minix.read import Reader
from eyrie.images.model import encoded, parent
from eyrie.images.plan import Attributes, Make, Step, Unlink

_UID_MAX, _GID_MAX = 0xFFFF, 0xFF


def apply(data: bytes, steps: Sequence[Step]) -> bytes:
    """Return the image with the steps carried out."""
    copy = bytearray(data)
    writer = _Writer(copy, Reader(copy))
    for step in steps:
        _check(step, writer.reader.super.name_length)
    try:
        for step in steps:
            if isinstance(step, Unlink):
                writer.unlink(step.path)
            elif isinstance(step, Make):
                writer.make(step)
            else:
                writer.attributes(step)
    except _FullError:
        raise _no_room(data, steps) from None
    return bytes(copy)


class _FullError(Exception):
    """No free zone or inode is left."""


class _Writer:
    """Changes `data`, of which `reader` tells what there is."""

    def __init__(self, data: bytearray, reader: Reader) -> None:
        self.data = data
        self.reader = reader
        # New files are as old as the image: the result depends on nothing else.
        self._time = reader.inode(reader.names["/"]).time
        self._next = {reader.super.inode_map: 1, reader.super.zone_map: 1}

    def unlink(self, path: str) -> None:
        """Take a name out of its folder, and free the inode with its last name."""
        number = self.reader.names.pop(path)
        inode = self.reader.inode(number)
        folder = self.reader.names[parent(path)]
        position = next(at for at, entry, name in self._slots(folder) if entry and name == _name(path))
        self._write_at(folder, position, bytes(self.reader.super.entry_size))
        if stat.S_ISDIR(inode.mode):
            self._put_inode(
                folder, replace(self.reader.inode(folder), links=self.reader.inode(folder).links - 1)
            )
        elif inode.links > 1:
            self._put_inode(number, replace(inode, links=inode.links - 1))
            return
        self._free(number, inode)

    def make(self, step: Make) -> None:
        """Make a file, folder or symlink."""
        number = self._allocate(self.reader.super.inode_map, self.reader.super.inodes)
        is_folder = stat.S_ISDIR(step.mode)
        folder = self.reader.names[parent(step.path)]
        data = self._entry(number, b".") + self._entry(folder, b"..") if is_folder else step.data
        inode = Inode(step.mode, step.uid, len(data), self._time, step.gid, 1 + is_folder, (0,) * 9)
        for index in range(0, len(data), BLOCK):
            inode = self._grow(inode, index // BLOCK, data[index : index + BLOCK])
        self._put_inode(number, inode)
        self._enter(folder, self._entry(number, _name(step.path)))
        if is_folder:
            self._link_folder(folder, step.path)
        self.reader.names[step.path] = number

    def attributes(self, step: Attributes) -> None:
        """Give a member mode and owner."""
        number = self.reader.names[step.path]
        inode = self.reader.inode(number)
        self._put_inode(number, replace(inode, mode=step.mode, uid=step.uid, gid=step.gid))

    def _link_folder(self, folder: int, path: str) -> None:
        inode = self.reader.inode(folder)
        if inode.links >= LINK_MAX:
            raise EyrieError(
                f"{path}: the folder above it", seen=f"{inode.links} links", wanted=f"fewer than {LINK_MAX}"
            )
        self._put_inode(folder, replace(inode, links=inode.links + 1))

    def _enter(self, folder: int, entry: bytes) -> None:
        """Write a directory entry into the first free slot, or behind the last."""
        for position, number, _name in self._slots(folder):
            if not number:
                self._write_at(folder, position, entry)
                return
        inode = self.reader.inode(folder)
        size = inode.size
        if size % BLOCK == 0:
            inode = self._grow(inode, size // BLOCK, b"")
        self._put_inode(folder, replace(inode, size=size + len(entry)))
        self._write_at(folder, size, entry)

    def _slots(self, folder: int) -> list[tuple[int, int, bytes]]:
        return list(self.reader.entries(self.reader.inode(folder)))

    def _entry(self, number: int, name: bytes) -> bytes:
        return number.to_bytes(2, "little") + name.ljust(self.reader.super.name_length, b"\0")

    def _write_at(self, folder: int, position: int, data: bytes) -> None:
        """Overwrite bytes of a folder; entries never straddle zones (16 and 32 divide the zone's size)."""
        inode = self.reader.inode(folder)
        index, offset = divmod(position, BLOCK)
        zones = self.reader.content_zones(inode)
        if not zones[index]:
            inode = self._grow(inode, index, b"")
            self._put_inode(folder, inode)
            zones = self.reader.content_zones(inode)
        at = zones[index] * BLOCK + offset
        self.data[at : at + len(data)] = data

    def _grow(self, inode: Inode, index: int, data: bytes) -> Inode:
        """Give a file a new zone at block `index`, with pointer zones as needed."""
        zone = self._new_zone(data)
        if index < DIRECT:
            return _with_zone(inode, index, zone)
        index -= DIRECT
        if index < POINTERS:
            inode, pointers = self._pointer_zone(inode, DIRECT)
        else:
            inode, seconds = self._pointer_zone(inode, DIRECT + 1)
            second, index = divmod(index - POINTERS, POINTERS)
            pointers = self._get_pointer(seconds, second) or self._new_zone(b"")
            self._set_pointer(seconds, second, pointers)
        self._set_pointer(pointers, index, zone)
        return inode

    def _pointer_zone(self, inode: Inode, slot: int) -> tuple[Inode, int]:
        zone = inode.zones[slot] or self._new_zone(b"")
        return _with_zone(inode, slot, zone), zone

    def _get_pointer(self, zone: int, index: int) -> int:
        return self.reader.pointers(zone)[index]

    def _set_pointer(self, zone: int, index: int, value: int) -> None:
        at = zone * BLOCK + 2 * index
        self.data[at : at + 2] = value.to_bytes(2, "little")

    def _new_zone(self, data: bytes) -> int:
        layout = self.reader.super
        zone = self._allocate(layout.zone_map, layout.zones - layout.first_zone) + layout.first_zone - 1
        self.data[zone * BLOCK : (zone + 1) * BLOCK] = data.ljust(BLOCK, b"\0")
        return zone

    def _allocate(self, bitmap: int, last: int) -> int:
        """Mark and return the first free bit from 1 to `last`."""
        for bit in range(self._next[bitmap], last + 1):
            byte, mask = bitmap + bit // 8, 1 << bit % 8
            if not self.data[byte] & mask:
                self.data[byte] |= mask
                self._next[bitmap] = bit + 1
                return bit
        raise _FullError

    def _release(self, bitmap: int, bit: int) -> None:
        self.data[bitmap + bit // 8] &= ~(1 << bit % 8) & 0xFF
        self._next[bitmap] = min(self._next[bitmap], bit)

    def _free(self, number: int, inode: Inode) -> None:
        """Free an inode and its zones, and blank them: what was taken out is really gone."""
        layout = self.reader.super
        if stat.S_IFMT(inode.mode) in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
            for zone in list(self.reader.all_zones(inode)):
                self.data[zone * BLOCK : (zone + 1) * BLOCK] = bytes(BLOCK)
                self._release(layout.zone_map, zone - layout.first_zone + 1)
        self._put_inode(number, Inode(0, 0, 0, 0, 0, 0, (0,) * 9))
        self._release(layout.inode_map, number)

    def _put_inode(self, number: int, inode: Inode) -> None:
        at = self.reader.super.inode_table + (number - 1) * INODE_SIZE
        self.data[at : at + INODE_SIZE] = inode.packed()


def _with_zone(inode: Inode, slot: int, zone: int) -> Inode:
    return replace(inode, zones=(*inode.zones[:slot], zone, *inode.zones[slot + 1 :]))


def _name(path: str) -> bytes:
    return encoded(path.rpartition("/")[2])


def _check(step: Step, name_length: int) -> None:
    """Refuse what the format cannot express."""
    if isinstance(step, Unlink):
        return
    if len(_name(step.path)) > name_length:
        raise EyrieError(
            f"the name of {step.path}",
            seen=f"{len(_name(step.path))} bytes",
            wanted=f"at most {name_length}, as this Minix image holds",
        )
    if step.uid > _UID_MAX or step.gid > _GID_MAX:
        raise EyrieError(
            f"the owner of {step.path}",
            seen=f"{step.uid}:{step.gid}",
            wanted=f"at most {_UID_MAX}:{_GID_MAX}, as Minix v1 holds",
        )


def _no_room(data: bytes, steps: Sequence[Step]) -> EyrieError:
    """Say what the changes need and what there is."""
    reader = Reader(data)
    layout = reader.super
    made = [step for step in steps if isinstance(step, Make)]
    blocks = sum(1 if stat.S_ISDIR(step.mode) else zones_for(len(step.data)) for step in made)
    gone = [
        reader.inode(reader.names[s.path]) for s in steps if isinstance(s, Unlink) and s.path in reader.names
    ]
    freed = sum(len(list(reader.all_zones(inode))) for inode in gone if inode.links == 1)
    free_blocks = _free_bits(data, layout.zone_map, layout.zones - layout.first_zone)
    free_inodes = _free_bits(data, layout.inode_map, layout.inodes)
    return EyrieError(
        "no room in the Minix image",
        seen=f"{free_blocks} blocks of {BLOCK} bytes and {free_inodes} inodes free,"
        f" {freed} blocks and {len(gone)} inodes more by what is replaced or removed",
        wanted=f"{blocks} blocks and {len(made)} inodes, and a block for each folder that has to grow",
        next_step="remove files from the image, or write less",
    )


def _free_bits(data: bytes, bitmap: int, last: int) -> int:
    return sum(not data[bitmap + bit // 8] >> bit % 8 & 1 for bit in range(1, last + 1))
