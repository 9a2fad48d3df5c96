# SPDX-License-Identifier: GPL-3.0-or-later
"""Open images whatever their format, and write changed copies of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from eyrie.errors import EyrieError
from eyrie.images import cpio, packing
from eyrie.images.ext import ExtImage, superblock
from eyrie.images.minix import MinixFormat
from eyrie.images.model import Change, ImageFile, Member, RootImage
from eyrie.images.target import refuse_same, write_whole

_HEAD = 4096


class _Format(Protocol):
    name: str

    def list(self) -> tuple[Member, ...]: ...

    def extract(self, path: str) -> bytes: ...

    def edited(self, changes: Sequence[Change]) -> bytes: ...


class MemoryImage:
    """An image small enough to be held in memory."""

    def __init__(self, source: Path, content: _Format, *, gzipped: bool) -> None:
        self._source = source
        self._content = content
        self._gzipped = gzipped

    @property
    def format(self) -> str:
        """Say what the image is."""
        return self._content.name + (", gzip" if self._gzipped else "")

    def list(self) -> tuple[Member, ...]:
        """Return every member."""
        return self._content.list()

    def extract(self, path: str) -> bytes:
        """Return a file's content."""
        return self._content.extract(path)

    def save(self, changes: Sequence[Change], target: Path) -> None:
        """Write a changed copy."""
        refuse_same(self._source, target)
        data = self._content.edited(changes)
        packed = packing.pack(data) if self._gzipped else data
        write_whole(target, lambda path: path.write_bytes(packed))


def open_image(source: Path) -> RootImage:
    """Open an image for reading, or raise an EyrieError that names what is wrong with it."""
    try:
        return _open(source)
    except OSError as error:
        raise EyrieError(str(source), seen=error.strerror, wanted="an image that can be read") from error
    except EyrieError as error:
        raise _about(source, error) from error


def _open(source: Path) -> RootImage:
    head = packing.head(source, _HEAD)
    gzipped = packing.is_gzip(packing.head(source, 2, unpacked=False))
    if superblock.is_one(head):
        return ExtImage(source, gzipped=gzipped)
    data = source.read_bytes()
    if cpio.is_one(head):
        # It knows its own packing: a plain archive may precede a gzip'd one.
        return MemoryImage(source, cpio.CpioFormat(data), gzipped=False)
    if MinixFormat.is_one(head):
        return MemoryImage(source, MinixFormat(packing.unpack(data) if gzipped else data), gzipped=gzipped)
    raise EyrieError(
        "its content", seen=head[:8], wanted="a file system of Minix v1 or ext2/3/4, or a newc cpio archive"
    )


def inject(source: Path, target: Path, files: Sequence[ImageFile]) -> None:
    """Write a copy of the image `source` that holds `files` to `target`, readable by its owner only."""
    edit(source, target, files)


def edit(source: Path, target: Path, changes: Sequence[Change]) -> None:
    """Write a changed copy of the image `source` to `target`, readable by its owner only."""
    image = open_image(source)
    try:
        image.save(changes, target)
    except EyrieError as error:
        raise _about(source, error) from error


def _about(source: Path, error: EyrieError) -> EyrieError:
    """Say which image an error is about."""
    return EyrieError(
        f"{source}: {error.thing}", seen=error.seen, wanted=error.wanted, next_step=error.next_step
    )
