# SPDX-License-Identifier: GPL-3.0-or-later
"""gzip in and out: bounded in, and out the same bytes for the same content (no time, no name)."""

from __future__ import annotations

import struct
import zlib

from eyrie.errors import EyrieError

MAGIC = b"\x1f\x8b"
LARGEST = 1 << 30
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
        raise EyrieError("damaged gzip data", seen=str(error), wanted="a whole gzip file") from error
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
