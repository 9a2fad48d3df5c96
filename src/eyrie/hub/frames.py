# SPDX-License-Identifier: GPL-3.0-or-later
"""Ethernet frames in a stream, as QEMU's `-netdev stream` has them: four bytes of length before each."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from eyrie.errors import EyrieError

SHORTEST = 14  # an Ethernet header
LONGEST = 65550  # the header and the longest IPv4 packet, rounded up; QEMU itself sends no longer ones
HEARTBEAT = b"\0\0\0\0"  # a frame of length nought: between carrier and hub alone, never to QEMU
_LENGTH = struct.Struct("!I")


class FrameError(EyrieError):
    """The stream is no stream of frames, or is no longer in step; only a new connection helps."""


class Splitter:
    """Turns the bytes of a stream into frames, however they are cut."""

    def __init__(self) -> None:
        self._rest = b""
        self.runts = 0  # too short for a frame: a guest's whim that does no harm, dropped

    def feed(self, data: bytes) -> list[bytes]:
        """Return the frames completed by `data`; raises FrameError at a length no frame has."""
        if self._rest:
            data = self._rest + data
        frames: list[bytes] = []
        at, end = 0, len(data)
        unpack = _LENGTH.unpack_from
        while end - at >= 4:
            length = unpack(data, at)[0]
            if length > LONGEST:
                raise FrameError("length of a frame", seen=length, wanted=f"at most {LONGEST}")
            stop = at + 4 + length
            if stop > end:
                break
            if length >= SHORTEST:
                frames.append(data[at + 4 : stop])
            elif length:
                self.runts += 1
            at = stop
        self._rest = data[at:]
        return frames


def join(frames: Iterable[bytes]) -> bytes:
    """Return the bytes that carry these frames."""
    parts: list[bytes] = []
    pack = _LENGTH.pack
    for frame in frames:
        parts += (pack(len(frame)), frame)
    return b"".join(parts)
