# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse and write `newc` cpio archives as a kernel reads them: several in a row, plain or gzip'd.

Source: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, replace

from eyrie.errors import EyrieError
from eyrie.images import packing

MAGICS = (b"070701", b"070702")  # the second with a sum of each file's bytes
_TRAILER = b"TRAILER!!!"
_HEAD = 110
_LONGEST_NAME = 4096
_HEX = re.compile(rb"[0-9A-Fa-f]{104}")
_KINDS = {stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK}
_OTHER_PACKINGS = {b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\x02!L\x18": "lz4"}


@dataclass(frozen=True)
class Record:
    """One header with its name and data."""

    magic: bytes
    inode: int
    mode: int
    uid: int
    gid: int
    links: int
    mtime: int
    device: tuple[int, int]
    node: tuple[int, int]
    name: bytes
    data: bytes

    def packed(self) -> bytes:
        """Return the record as it is in an archive."""
        check = sum(self.data) & 0xFFFFFFFF if self.magic == MAGICS[1] else 0
        numbers = (
            *(self.inode, self.mode, self.uid, self.gid, self.links, self.mtime, len(self.data)),
            *(*self.device, *self.node, len(self.name) + 1, check),
        )
        head = self.magic + b"".join(b"%08X" % number for number in numbers) + self.name + b"\0"
        return _padded(head) + _padded(self.data)


@dataclass
class Segment:
    """What is packed together, and the bytes it was read from until it changes."""

    gzipped: bool
    archives: list[list[Record]]
    raw: bytes | None

    def packed(self) -> bytes:
        """Return the segment's bytes, a multiple of four."""
        if self.raw is not None:
            return self.raw
        plain = b"".join(_archive(records) for records in self.archives)
        return _padded(packing.pack(plain) if self.gzipped else plain)


def is_one(head: bytes) -> bool:
    """Whether an image that starts like this is a cpio archive."""
    return head.startswith(MAGICS)


def parse(data: bytes) -> list[Segment]:
    """Return the segments of an image; every byte of it belongs to one, or is a zero between two."""
    found: list[Segment] = []
    position = 0
    while position < len(data):
        start = position
        if packing.is_gzip(data[position : position + 2]):
            plain, rest = packing.unpack_one(data[position:])
            archives = [each for part in parse(plain) for each in part.archives]
            position = len(data) - len(rest)
        else:
            records, position = _parse_archive(data, position)
            archives = [records]
        position = _after_zeros(data, position)
        found.append(Segment(packing.is_gzip(data[start : start + 2]), archives, data[start:position]))
    return found


def _after_zeros(data: bytes, position: int) -> int:
    rest = data[position:].lstrip(b"\0")
    return len(data) - len(rest)


def _parse_archive(data: bytes, position: int) -> tuple[list[Record], int]:
    records: list[Record] = []
    while True:
        record, position = _parse_record(data, position)
        if record.name == _TRAILER:
            return records, position
        records.append(record)


def _parse_record(data: bytes, start: int) -> tuple[Record, int]:
    head = data[start : start + _HEAD]
    if not is_one(head):
        raise _broken(f"the header at byte {start}", _foreign(head), "070701 or 070702")
    if len(head) < _HEAD or not _HEX.fullmatch(head[6:]):
        raise _broken(f"the header at byte {start} (truncated?)", head[6:], "13 numbers of 8 hex digits")
    numbers = [int(head[at : at + 8], 16) for at in range(6, _HEAD, 8)]
    inode, mode, uid, gid, links, mtime, size, *devices, name_size, _check = numbers
    name_end = start + _HEAD + name_size
    data_start = _aligned(name_end)
    if not 1 < name_size <= _LONGEST_NAME or data_start > len(data) or data[name_end - 1 : name_end] != b"\0":
        raise _broken(f"the name at byte {start + _HEAD}", f"{name_size} bytes", "one that ends with NUL")
    name = data[start + _HEAD : name_end - 1]
    if data_start + size > len(data):
        raise _broken(f"the file {name!r} (truncated?)", len(data) - data_start, f"{size} bytes")
    if name != _TRAILER:
        _check_name(name, mode)
    content = data[data_start : data_start + size]
    device, node = (devices[0], devices[1]), (devices[2], devices[3])
    record = Record(head[:6], inode, mode, uid, gid, links, mtime, device, node, name, content)
    return record, min(_aligned(data_start + size), len(data))


def _check_name(name: bytes, mode: int) -> None:
    if b"\0" in name or b".." in name.split(b"/"):
        raise _broken("a name", name, "one without NUL and '..'")
    if stat.S_IFMT(mode) not in _KINDS:
        raise _broken(f"the mode of {name!r}", oct(mode), "one of the seven kinds of file")


def without(records: list[Record], name_fits: frozenset[bytes]) -> list[Record]:
    """Return an archive without the records of these names; a hard link's other names keep the content."""
    left = [record for record in records if record.name not in name_fits]
    for gone in (record for record in records if record.name in name_fits and record.links > 1):
        names = [at for at, record in enumerate(left) if same_file(record, gone)]
        for at in names:
            left[at] = replace(left[at], links=len(names), data=b"")
        if names:
            left[names[-1]] = replace(left[names[-1]], data=content(gone, records))
    return left


def same_file(one: Record, other: Record) -> bool:
    """Whether two records are names of one regular file."""
    return (
        stat.S_ISREG(one.mode)
        and stat.S_ISREG(other.mode)
        and one.links > 1
        and (one.inode, one.device) == (other.inode, other.device)
    )


def content(record: Record, records: list[Record]) -> bytes:
    """Return a file's content, which of several hard links only one carries."""
    if record.data or record.links < 2:
        return record.data
    return next((other.data for other in records if same_file(other, record) and other.data), b"")


def _archive(records: list[Record]) -> bytes:
    trailer = Record(MAGICS[0], 0, 0, 0, 0, 1, 0, (0, 0), (0, 0), _TRAILER, b"")
    return b"".join(record.packed() for record in [*records, trailer])


def _foreign(head: bytes) -> str:
    names = [name for magic, name in _OTHER_PACKINGS.items() if head.startswith(magic)]
    return f"data packed with {names[0]}" if names else repr(head[:6])


def _aligned(position: int) -> int:
    return position + -position % 4


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _broken(what: str, seen: object, wanted: str) -> EyrieError:
    return EyrieError(f"damaged cpio archive: {what}", seen=seen, wanted=wanted)
