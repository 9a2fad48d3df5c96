# SPDX-License-Identifier: GPL-3.0-or-later
"""gzip in and out: bounded in, and out the same bytes for the same content (no time, no name)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from eyrie.errors import EyrieError

MAGIC = b"\x1f\x8b"
LARGEST = 1 << 30
LARGEST_FILE = 1 << 36
_STEP = 1 << 20
_HEAD = MAGIC + b"\x08\x00" + bytes(4) + b"\x02\xff"  # deflate, no flags, no time, slowest, no system


def is_gzip(head: bytes) -> bool:
    """Whether a file that starts like this is gzip'd."""
    return head.startswith(MAGIC)


def unpack_one(data: bytes, largest: int = LARGEST) -> tuple[bytes, bytes]:
    """Return the content of the first gzip member, and what follows it."""
    engine = zlib.decompressobj(31)
    try:
        content = engine.decompress(data, largest)
    except zlib.error as error:
        raise _damaged(error) from error
    if not engine.eof:
        if engine.unconsumed_tail or len(content) >= largest:
            raise EyrieError("an image, unpacked", seen="too much", wanted=f"at most {largest} bytes")
        raise EyrieError("truncated gzip data", seen=f"{len(data)} bytes", wanted="a whole gzip file")
    return content, engine.unused_data


def unpack(data: bytes, largest: int = LARGEST) -> bytes:
    """Return the content of gzip data; zeros may follow, nothing else."""
    content, rest = unpack_one(data, largest)
    if rest.strip(b"\0"):
        raise EyrieError("gzip data", seen=f"{len(rest)} bytes behind it", wanted="nothing but zeros there")
    return content


def pack(data: bytes) -> bytes:
    """Return `data` gzip'd."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = engine.compress(data) + engine.flush()
    return _HEAD + body + struct.pack("<LL", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def head(source: Path, length: int, *, unpacked: bool = True) -> bytes:
    """Return how a file starts, or how it does once unpacked."""
    with source.open("rb") as stream:
        start = stream.read(max(length, 1 << 16))
    if not unpacked or not is_gzip(start):
        return start[:length]
    try:
        return zlib.decompressobj(31).decompress(start, length)
    except zlib.error as error:
        raise _damaged(error) from error


def unpack_file(source: Path, target: Path, largest: int = LARGEST_FILE) -> None:
    """Unpack a gzip file into another; what is zero becomes a hole."""
    engine = zlib.decompressobj(31)
    length = 0
    with source.open("rb") as packed, target.open("wb") as plain:
        while not engine.eof:
            block = engine.unconsumed_tail or packed.read(_STEP)
            if not block:
                raise EyrieError(
                    "truncated gzip data", seen=f"{length} bytes unpacked", wanted="a whole gzip file"
                )
            try:
                content = engine.decompress(block, _STEP)
            except zlib.error as error:
                raise _damaged(error) from error
            length += len(content)
            if length > largest:
                raise EyrieError("an image, unpacked", seen="too much", wanted=f"at most {largest} bytes")
            if content.strip(b"\0"):
                plain.write(content)
            else:
                plain.seek(len(content), 1)
        plain.truncate(length)


def pack_file(source: Path, target: Path) -> None:
    """Pack a file into a gzip file."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    check = length = 0
    with source.open("rb") as plain, target.open("wb") as packed:
        packed.write(_HEAD)
        while block := plain.read(_STEP):
            check = zlib.crc32(block, check)
            length += len(block)
            packed.write(engine.compress(block))
        packed.write(engine.flush() + struct.pack("<LL", check, length & 0xFFFFFFFF))


def _damaged(error: zlib.error) -> EyrieError:
    return EyrieError("damaged gzip data", seen=str(error), wanted="a whole gzip file")
