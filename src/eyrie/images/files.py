# SPDX-License-Identifier: GPL-3.0-or-later
"""Open images whatever their format, and write changed copies: atomically, never over the source."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from eyrie.errors import EyrieError
from eyrie.images import packing
from eyrie.images.minix import MinixFormat
from eyrie.images.model import Change, ImageFile, Member, RootImage


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
        data = read(source)
    except OSError as error:
        raise EyrieError(f"{source}", seen=error.strerror, wanted="an image that can be read") from error
    gzipped = packing.is_gzip(data)
    try:
        content = packing.unpack(data) if gzipped else data
        if MinixFormat.is_one(content):
            return MemoryImage(source, MinixFormat(content), gzipped=gzipped)
    except EyrieError as error:
        raise _about(source, error) from error
    raise EyrieError(f"{source}", seen=content[:8], wanted="a Minix v1 image, plain or gzip'd")


def inject(source: Path, target: Path, files: Sequence[ImageFile]) -> None:
    """Write a copy of the image `source` that holds `files` to `target`, readable by its owner only."""
    open_image(source).save(files, target)


def read(source: Path) -> bytes:
    """Return a file's bytes."""
    return source.read_bytes()


def refuse_same(source: Path, target: Path) -> None:
    """Refuse to write over the image that is read."""
    if target.exists() and target.samefile(source):
        raise EyrieError(
            f"the output {target}",
            seen="the image itself",
            wanted="another file, as images are never changed in place",
        )


def write_whole(target: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a new file beside `target`, and put it there once it is whole."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise EyrieError(
            f"the output {target}", seen=error.strerror, wanted="a folder to write in"
        ) from error
    os.close(handle)
    try:
        write(Path(name))
        Path(name).replace(target)
    except OSError as error:
        raise EyrieError(f"the output {target}", seen=error.strerror, wanted="a file to write") from error
    finally:
        Path(name).unlink(missing_ok=True)


def _about(source: Path, error: EyrieError) -> EyrieError:
    """Say which image an error is about."""
    return EyrieError(
        f"{source}: {error.thing}", seen=error.seen, wanted=error.wanted, next_step=error.next_step
    )
