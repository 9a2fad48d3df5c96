# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a Minix v1 file system whole and prove it sound, so that whoever changes it may trust every number."""

from __future__ import annotations

import stat
import struct
from collections import Counter
from collections.abc import Iterator

from eyrie.images.minix.layout import (
    BLOCK,
    DIRECT,
    INODE_SIZE,
    MAX_ZONES,
    POINTERS,
    ROOT_INODE,
    Inode,
    broken,
    read_super,
    unpack_inode,
)
from eyrie.images.model import ROOT, Member, absent, decoded, kind_name, refuse_content

_POINTERS = struct.Struct(f"<{POINTERS}H")
_WITH_ZONES = (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)
_LONGEST_LINK = 4096


class Reader:
    """A sound file system: `names` maps each path to its inode's number."""

    def __init__(self, data: bytes | bytearray) -> None:
        self.data = data
        self.super = read_super(data)
        self.names: dict[str, int] = {}
        self._used: dict[int, str] = {}
        self._walk()
        self._check_links()

    def inode(self, number: int) -> Inode:
        """Return the inode of that number."""
        if not 1 <= number <= self.super.inodes:
            raise broken("an inode number", number, f"1 to {self.super.inodes}")
        return unpack_inode(self.data, self.super.inode_table + (number - 1) * INODE_SIZE)

    def content(self, inode: Inode) -> bytes:
        """Return a file's bytes; a hole reads as zeros."""
        parts = [self._zone(zone) if zone else bytes(BLOCK) for zone in self.content_zones(inode)]
        return b"".join(parts)[: inode.size]

    def content_zones(self, inode: Inode) -> list[int]:
        """Return the zones of a file's content in order, 0 for a hole."""
        count = -(-inode.size // BLOCK)
        zones = list(inode.zones[:DIRECT])
        if count > DIRECT:
            zones += self.pointers(inode.zones[DIRECT])
        if count > DIRECT + POINTERS:
            for zone in self.pointers(inode.zones[DIRECT + 1]):
                zones += self.pointers(zone)
        return zones[:count]

    def all_zones(self, inode: Inode) -> Iterator[int]:
        """Yield every zone an inode points at, its pointer zones and zones behind its end included."""
        single, double = inode.zones[DIRECT], inode.zones[DIRECT + 1]
        seconds = [zone for zone in self.pointers(double) if zone]
        ends = [zone for second in seconds for zone in self.pointers(second)]
        yield from (zone for zone in (*inode.zones, *self.pointers(single), *seconds, *ends) if zone)

    def entries(self, inode: Inode) -> Iterator[tuple[int, int, bytes]]:
        """Yield position, inode number (0: free) and name of each slot of a folder."""
        size = self.super.entry_size
        content = self.content(inode)
        for position in range(0, len(content), size):
            number = int.from_bytes(content[position : position + 2], "little")
            yield position, number, content[position + 2 : position + size].rstrip(b"\0")

    def member(self, path: str) -> Member:
        """Describe the file at `path`."""
        inode = self.inode(self.names[path])
        target, device = "", None
        if stat.S_ISLNK(inode.mode):
            target = decoded(self.content(inode))
        elif stat.S_ISCHR(inode.mode) or stat.S_ISBLK(inode.mode):
            device = (inode.zones[0] >> 8, inode.zones[0] & 0xFF)
        return Member(path, inode.mode, inode.uid, inode.gid, inode.size, inode.time, target, device)

    def pointers(self, zone: int) -> tuple[int, ...]:
        """Return the zone numbers in a pointer zone; a hole holds none."""
        return _POINTERS.unpack(self._zone(zone)) if zone else (0,) * POINTERS

    def _zone(self, zone: int) -> bytes:
        if not self.super.first_zone <= zone < self.super.zones:
            raise broken("a zone number", zone, f"{self.super.first_zone} to {self.super.zones - 1}")
        return bytes(self.data[zone * BLOCK : (zone + 1) * BLOCK])

    def _walk(self) -> None:
        if not stat.S_ISDIR(self.inode(ROOT_INODE).mode):
            raise broken("its root", kind_name(self.inode(ROOT_INODE).mode), "a folder")
        self.names[ROOT] = ROOT_INODE
        seen = {ROOT_INODE}
        self._claim(ROOT, ROOT_INODE)
        folders = [ROOT]
        while folders:
            folder = folders.pop(0)
            for name, number in self._children(folder):
                path = folder.rstrip("/") + "/" + name
                if path in self.names:
                    raise broken(f"the name {path}", "it is there twice", "each name once")
                self.names[path] = number
                is_folder = stat.S_ISDIR(self.inode(number).mode)
                if number in seen:
                    if is_folder:
                        raise broken(f"the folder {path}", f"inode {number} a second time", "an own inode")
                    continue
                seen.add(number)
                self._claim(path, number)
                if is_folder:
                    folders.append(path)

    def _children(self, folder: str) -> Iterator[tuple[str, int]]:
        dots = {}
        own = self.names[folder]
        for _position, number, name in self.entries(self.inode(own)):
            if not number:
                continue
            if name in (b".", b".."):
                dots[name] = number
            elif not name or b"/" in name or b"\0" in name:
                raise broken(f"a name in {folder}", name, "a name without slash and NUL")
            else:
                yield decoded(name), number
        above = self.names[folder.rpartition("/")[0] or ROOT]
        if dots != {b".": own, b"..": above}:
            raise broken(f"'.' and '..' of {folder}", sorted(dots.items()), f"inodes {own} and {above}")

    def _claim(self, path: str, number: int) -> None:
        """Check an inode, and that it and its zones belong to it alone and are marked as used."""
        inode = self.inode(number)
        self._check_inode(path, inode)
        if not self._marked(self.super.inode_map, number):
            raise broken(f"inode {number} of {path}", "marked as free", "in use")
        if stat.S_IFMT(inode.mode) not in _WITH_ZONES:
            return
        for zone in self.all_zones(inode):
            self._zone(zone)
            if zone in self._used:
                raise broken(f"zone {zone} of {path}", f"it belongs to {self._used[zone]} too", "one owner")
            if not self._marked(self.super.zone_map, zone - self.super.first_zone + 1):
                raise broken(f"zone {zone} of {path}", "marked as free", "in use")
            self._used[zone] = path

    def _check_inode(self, path: str, inode: Inode) -> None:
        kind = stat.S_IFMT(inode.mode)
        if kind not in (*_WITH_ZONES, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK):
            raise broken(f"the mode of {path}", oct(inode.mode), "one of the seven kinds of file")
        if kind in _WITH_ZONES and inode.size > min(self.super.zones, MAX_ZONES) * BLOCK:
            raise broken(f"the size of {path}", inode.size, "no more than the whole image holds")
        if kind == stat.S_IFDIR and inode.size % self.super.entry_size:
            raise broken(f"the size of folder {path}", inode.size, f"a multiple of {self.super.entry_size}")
        if kind == stat.S_IFLNK and not 0 < inode.size <= _LONGEST_LINK:
            raise broken(f"the length of symlink {path}", inode.size, f"1 to {_LONGEST_LINK}")

    def _check_links(self) -> None:
        names = Counter(self.names.values())
        for path, number in self.names.items():
            inode = self.inode(number)
            if not stat.S_ISDIR(inode.mode) and inode.links != names[number]:
                raise broken(f"the link count of {path}", inode.links, f"{names[number]}, as it has names")

    def _marked(self, bitmap: int, bit: int) -> bool:
        return bool(self.data[bitmap + bit // 8] >> bit % 8 & 1)


def extract(reader: Reader, path: str) -> bytes:
    """Return the content of a regular file or a symlink's target."""
    if path not in reader.names:
        raise absent(path)
    inode = reader.inode(reader.names[path])
    refuse_content(path, inode.mode)
    return reader.content(inode)
