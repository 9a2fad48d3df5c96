# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a `newc` cpio archive (the kernel's initramfs format) that depends on nothing but its content."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass

_FIELDS = 13


@dataclass(frozen=True)
class Entry:
    """One file, folder or symlink of the archive; `mode` includes the type bits."""

    name: str
    mode: int
    data: bytes = b""


def folder(name: str) -> Entry:
    """Make a folder's entry."""
    return Entry(name, stat.S_IFDIR | 0o755)


def file(name: str, data: bytes, *, executable: bool = False) -> Entry:
    """Make a file's entry."""
    return Entry(name, stat.S_IFREG | (0o755 if executable else 0o644), data)


def symlink(name: str, target: str) -> Entry:
    """Make a symlink's entry."""
    return Entry(name, stat.S_IFLNK | 0o777, target.encode())


def archive(entries: Iterable[Entry], epoch: int) -> bytes:
    """Return the archive of `entries` in the order given, all owned by root and dated `epoch`."""
    parts = [_record(entry, inode, epoch) for inode, entry in enumerate(entries, start=1)]
    parts.append(_record(Entry("TRAILER!!!", 0), 0, 0))
    return b"".join(parts)


def _record(entry: Entry, inode: int, epoch: int) -> bytes:
    name = entry.name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    # inode mode uid gid links mtime size devmajor devminor rdevmajor rdevminor namesize check
    numbers = (inode, entry.mode, 0, 0, links, epoch, len(entry.data), 0, 0, 0, 0, len(name), 0)
    assert len(numbers) == _FIELDS
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + name
    return _padded(head) + _padded(entry.data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
