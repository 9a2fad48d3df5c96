# SPDX-License-Identifier: GPL-3.0-or-later
"""What each kind of network takes of a packet, and where each number comes from."""

from __future__ import annotations

from dataclasses import dataclass

from eyrie.networks.model import Mode

SMALLEST = 576
"""RFC 791: what every IPv4 host must take. Less is no network."""
TCP_HEADERS = 40
"""IPv4 20 (RFC 791) and TCP 20 (RFC 9293), without options: what MSS leaves out (RFC 6691)."""


@dataclass(frozen=True)
class Part:
    """Bytes on the wire in front of, or behind, the inner packet."""

    what: str
    size: int
    source: str


OUTER = Part("outer IPv4 header", 20, "RFC 791")
UDP = Part("UDP header", 8, "RFC 768")
ESP = Part("ESP header (SPI, sequence number)", 8, "RFC 4303")
ESP_IV = Part("AES-GCM initialisation vector", 8, "RFC 4106")
ESP_TRAILER = Part("ESP pad length and next header", 2, "RFC 4303")
ESP_ICV = Part("AES-GCM integrity check value", 16, "RFC 4106")
WIREGUARD = Part("WireGuard data header (type, receiver, counter)", 16, "WireGuard paper, 5.4.6")
WIREGUARD_TAG = Part("Poly1305 tag", 16, "RFC 8439")

PARTS: dict[tuple[Mode, bool], tuple[Part, ...]] = {
    ("outbound", False): (),
    ("hub", False): (),
    ("shadow", False): (),
    ("ipip", False): (OUTER,),
    ("ipip", True): (OUTER, UDP),
    ("wireguard", False): (OUTER, UDP, WIREGUARD, WIREGUARD_TAG),
    ("ipsec", False): (OUTER, ESP, ESP_IV, ESP_TRAILER, ESP_ICV),
}
"""By mode, and whether it is carried in UDP. The hub's stream has no size of its own: TCP cuts it."""


def overhead(mode: Mode, fou: bool = False) -> int:
    """Bytes that a packet grows by, padding left out."""
    return sum(part.size for part in PARTS[(mode, fou)])


def inner(mode: Mode, link: int, fou: bool = False) -> int:
    """The longest inner packet that fits a link without being cut."""
    left = link - overhead(mode, fou)
    if mode == "ipsec":
        # ESP ends on a multiple of four bytes, counted over inner packet and trailer (RFC 4303, 2.4).
        left -= (left + ESP_TRAILER.size) % 4
    return left


def legacy(link: int) -> int:
    """The same for a node: 3DES has blocks and an IV of 8 bytes (RFC 2451), HMAC-SHA1-96 12 (RFC 2404)."""
    whole = (link - OUTER.size - ESP.size - 8 - 12) // 8 * 8
    return whole - ESP_TRAILER.size


def mss(mtu: int) -> int:
    """The longest TCP segment of a packet."""
    return mtu - TCP_HEADERS
