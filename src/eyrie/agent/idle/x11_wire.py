# SPDX-License-Identifier: GPL-3.0-or-later
"""The few X11 messages that asking for the idle time takes (X 11.0, MIT-SCREEN-SAVER 1.1), as bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass

COOKIE = b"MIT-MAGIC-COOKIE-1"
EXTENSION = b"MIT-SCREEN-SAVER"
PACKET = 32  # replies without extra data, errors and events are all this long
ERROR, REPLY = 0, 1


class ProtocolError(Exception):
    """The X server answered something that cannot be used."""


@dataclass(frozen=True)
class Entry:
    """One line of an Xauthority file."""

    display: bytes  # the display's number, empty for all
    name: bytes
    data: bytes


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def setup_request(cookie: bytes) -> bytes:
    """Return the first message of a client, little-endian, with a cookie or without."""
    name = COOKIE if cookie else b""
    return struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie)) + _pad(name) + _pad(cookie)


def setup_length(head: bytes) -> int:
    """Return how many bytes follow the first eight of the server's answer."""
    return int(struct.unpack_from("<H", head, 6)[0]) * 4


def root_window(answer: bytes) -> int:
    """Return the first screen's root window of the whole setup answer."""
    if answer[0] != 1:
        reason = answer[8 : 8 + answer[1]] if answer[0] == 0 else answer[8:]
        raise ProtocolError(reason.rstrip(b"\0\n").decode("latin-1") or "the X server refuses")
    if len(answer) < 40:
        raise ProtocolError("the X server's greeting is too short")
    (vendor,) = struct.unpack_from("<H", answer, 24)
    formats = answer[29]
    start = 40 + vendor + (-vendor % 4) + 8 * formats
    if answer[28] < 1 or len(answer) < start + 4:
        raise ProtocolError("the X server has no screen")
    return int(struct.unpack_from("<I", answer, start)[0])


def query_extension() -> bytes:
    """Return the question for the screen saver extension's number."""
    name = _pad(EXTENSION)
    return struct.pack("<BxHHxx", 98, 2 + len(name) // 4, len(EXTENSION)) + name


def extension_opcode(reply: bytes) -> int:
    """Return the extension's number."""
    if reply[0] != REPLY or not reply[8]:
        raise ProtocolError("the X server has no MIT-SCREEN-SAVER extension")
    return reply[9]


def query_idle(opcode: int, root: int) -> bytes:
    """Return the question for the idle time."""
    return struct.pack("<BBHI", opcode, 1, 2, root)


def idle_milliseconds(reply: bytes) -> int:
    """Return the time since the user's last input."""
    if reply[0] != REPLY:
        raise ProtocolError(f"the X server answered error {reply[1]}")
    return int(struct.unpack_from("<I", reply, 16)[0])


def parse_xauthority(data: bytes) -> list[Entry]:
    """Return the entries of an Xauthority file; a cut-off last one is dropped."""
    entries: list[Entry] = []
    at = 0
    while at + 2 <= len(data):
        at += 2  # the address family: the cookie alone decides on a local socket
        fields = []
        for _ in range(4):
            if at + 2 > len(data):
                return entries
            (length,) = struct.unpack_from(">H", data, at)
            fields.append(data[at + 2 : at + 2 + length])
            at += 2 + length
        if at > len(data):
            return entries
        entries.append(Entry(display=fields[1], name=fields[2], data=fields[3]))
    return entries
