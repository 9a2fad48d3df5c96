# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary information of an MSI: its times and package code, put where wixl wrote its own; pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from eyrie.errors import EyrieError

_FMTID = bytes.fromhex("e0859ff2f94f6810ab9108002b27b3d9")
_REVISION, _CREATED, _SAVED = 9, 12, 13
_STRING, _FILETIME = 30, 64
_SECONDS_1601_TO_1970 = 11644473600


def stamp(msi: bytes, package_code: str, epoch: int) -> bytes:
    """Return the file with these instead of a random code and the time of the build; nothing moves."""
    start = msi.find(_FMTID)
    if start < 0 or msi.find(_FMTID, start + 1) >= 0:
        raise _strange("no single summary information")
    (offset,) = struct.unpack_from("<I", msi, start + len(_FMTID))
    section = start - 28 + offset  # offsets count from the stream's start, 28 bytes before the first FMTID
    changed = bytearray(msi)
    found = set()
    for identifier, place in _properties(msi, section):
        if identifier not in (_REVISION, _CREATED, _SAVED):
            continue
        (kind,) = struct.unpack_from("<I", msi, place)
        if identifier == _REVISION:
            text = package_code.encode("ascii") + b"\0"
            if (kind, struct.unpack_from("<I", msi, place + 4)[0]) != (_STRING, len(text)):
                raise _strange(f"a package code of type {kind}")
            changed[place + 8 : place + 8 + len(text)] = text
        else:
            if kind != _FILETIME:
                raise _strange(f"a time of type {kind}")
            struct.pack_into("<Q", changed, place + 4, (epoch + _SECONDS_1601_TO_1970) * 10_000_000)
        found.add(identifier)
    if found != {_REVISION, _CREATED, _SAVED}:
        raise _strange(f"properties {sorted(found)}")
    return bytes(changed)


def _properties(msi: bytes, section: int) -> Iterator[tuple[int, int]]:
    """Yield identifier and place of each property."""
    size, count = struct.unpack_from("<II", msi, section)
    if not 8 + 8 * count <= size <= 4096:
        raise _strange(f"a section of {size} bytes with {count} properties")
    for number in range(count):
        identifier, offset = struct.unpack_from("<II", msi, section + 8 + 8 * number)
        if offset >= size:
            raise _strange(f"a property at {offset} of {size}")
        yield identifier, section + offset


def _strange(seen: str) -> EyrieError:
    return EyrieError(
        "the MSI that wixl made",
        seen=seen,
        wanted="one summary information with a package code and two times",
        next_step="use the msitools that this release was tested with (0.101)",
    )
