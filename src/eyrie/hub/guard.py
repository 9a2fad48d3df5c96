# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest may put on the pool's Ethernet: its own addresses, IPv4 and ARP. The rest is refused by name.

A list of what is allowed: no VLAN tag, no IPv6 (and with it no router advertisement), no spanning tree comes
through, whatever it is wrapped in.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass

from eyrie.errors import EyrieError

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_IPV4, _ARP = b"\x08\x00", b"\x08\x06"
_ARP_KIND = b"\x00\x01\x08\x00\x06\x04"  # Ethernet and IPv4
_UDP = 17
_NOBODY = b"\0\0\0\0"
# Never passed on by any bridge: spanning tree, LLDP, pause and the like.
_LINK_LOCAL = b"\x01\x80\xc2\x00\x00"


@dataclass(frozen=True)
class Grant:
    """What one desktop's guest may use; no address means any IPv4 address."""

    name: str
    macs: frozenset[bytes]
    address: bytes | None = None


def refusal(frame: bytes, grant: Grant) -> str:
    """Return why this guest may not send this frame, or nothing."""
    if frame[6:12] not in grant.macs:
        return "source-mac"
    kind = frame[12:14]
    if kind == _IPV4:
        return _ipv4_refusal(frame, grant.address)
    if kind == _ARP:
        return _arp_refusal(frame, grant)
    return "ethertype"


def is_link_local(frame: bytes) -> bool:
    """Whether the frame is for the next bridge only, and so for nobody behind it."""
    return frame[:5] == _LINK_LOCAL and frame[5] < 16


def _ipv4_refusal(frame: bytes, address: bytes | None) -> str:
    if len(frame) < 34 or frame[14] >> 4 != 4 or frame[14] & 15 < 5:
        return "damaged"
    if address is not None and frame[26:30] != address:
        return "source-address"
    if frame[23] == _UDP and not (frame[20] & 0x1F or frame[21]):
        ports = 14 + 4 * (frame[14] & 15)
        if len(frame) < ports + 8:  # the ports must be seen before the rest may follow in pieces
            return "damaged"
        if frame[ports : ports + 2] == b"\x00\x43":
            return "dhcp-server"
    return ""


def _arp_refusal(frame: bytes, grant: Grant) -> str:
    if len(frame) < 42 or frame[14:20] != _ARP_KIND:
        return "damaged"
    if frame[22:28] not in grant.macs:
        return "arp-mac"
    if grant.address is not None and frame[28:32] not in (grant.address, _NOBODY):
        return "arp-address"
    return ""


def parse_mac(text: str) -> bytes:
    """Return the six bytes of a MAC address that one host may have."""
    if not _MAC.fullmatch(text) or int(text[:2], 16) & 1 or text == "00:00:00:00:00:00":
        raise EyrieError("MAC address", seen=text, wanted="one host's, such as 02:00:5e:10:00:01")
    return bytes.fromhex(text.replace(":", ""))


def mac_text(mac: bytes) -> str:
    """Return a MAC address as people write it."""
    return ":".join(f"{byte:02x}" for byte in mac)


def parse_address(text: str) -> bytes | None:
    """Return the four bytes of an IPv4 address; nothing means that any may be used."""
    try:
        return ipaddress.IPv4Address(text).packed if text else None
    except ValueError as error:
        raise EyrieError("guest's address", seen=text, wanted="an IPv4 address, or nothing") from error


def guest_mac(pool: str, name: str) -> str:
    """Return the MAC address of a desktop's guest: the same for ever, and locally administered."""
    digest = hashlib.sha256(f"{pool}/{name}".encode()).digest()
    return mac_text(b"\x02" + digest[:5])
