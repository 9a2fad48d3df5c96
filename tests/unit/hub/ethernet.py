# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames as tables of the tests want them."""

from __future__ import annotations

import ipaddress
import struct

from eyrie.hub.guard import parse_mac

BROADCAST = "ff:ff:ff:ff:ff:ff"


def ethernet(source: str, target: str, kind: int, payload: bytes) -> bytes:
    """Build any frame."""
    to = bytes.fromhex(target.replace(":", ""))
    return to + bytes.fromhex(source.replace(":", "")) + struct.pack("!H", kind) + payload


def ipv4(
    source: str,
    target: str,
    *,
    sender: str = "10.88.0.1",
    receiver: str = "10.88.0.2",
    protocol: int = 6,
    fragment: int = 0,
    words: int = 5,
    payload: bytes = bytes(20),
) -> bytes:
    """Build an IPv4 frame; checksums are nobody's business here."""
    header = struct.pack(
        "!BBHHHBBH4s4s",
        0x40 | words,
        0,
        4 * words + len(payload),
        1,
        fragment,
        64,
        protocol,
        0,
        ipaddress.IPv4Address(sender).packed,
        ipaddress.IPv4Address(receiver).packed,
    )
    return ethernet(source, target, 0x0800, header + bytes(4 * words - 20) + payload)


def arp(source: str, *, mac: str, sender: str, target: str = BROADCAST, kind: bytes = b"") -> bytes:
    """Build a question of who has 10.88.0.9."""
    body = kind or b"\x00\x01\x08\x00\x06\x04"
    body += b"\x00\x01" + parse_mac(mac) + ipaddress.IPv4Address(sender).packed
    return ethernet(source, target, 0x0806, body + bytes(6) + ipaddress.IPv4Address("10.88.0.9").packed)


def udp(source_port: int, target_port: int) -> bytes:
    """Build a UDP header with a little behind it."""
    return struct.pack("!HHHH", source_port, target_port, 16, 0) + bytes(8)
