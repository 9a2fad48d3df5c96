# SPDX-License-Identifier: GPL-3.0-or-later
"""Port security as a table: what a guest may send, and what each refusal is called."""

from __future__ import annotations

import pytest
from ethernet import BROADCAST, arp, ethernet, ipv4, udp
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.hub.guard import Grant, guest_mac, is_link_local, mac_text, parse_address, parse_mac, refusal

MINE, SECOND, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:11", "02:00:00:00:00:02"
FIXED = Grant("desk-1", frozenset({parse_mac(MINE), parse_mac(SECOND)}), parse_address("10.88.0.1"))
FREE = Grant("desk-1", frozenset({parse_mac(MINE)}))

CASES = [
    ("own IPv4", ipv4(MINE, OTHER), "", ""),
    ("own second MAC", ipv4(SECOND, OTHER), "", "source-mac"),
    ("another's MAC", ipv4(OTHER, MINE), "source-mac", "source-mac"),
    ("broadcast as source", ipv4(BROADCAST, OTHER), "source-mac", "source-mac"),
    ("another's address", ipv4(MINE, OTHER, sender="10.88.0.2"), "source-address", ""),
    ("no address yet", ipv4(MINE, BROADCAST, sender="0.0.0.0"), "source-address", ""),
    ("own ARP", arp(MINE, mac=MINE, sender="10.88.0.1"), "", ""),
    ("ARP probe", arp(MINE, mac=MINE, sender="0.0.0.0"), "", ""),
    ("ARP for another", arp(MINE, mac=MINE, sender="10.88.0.2"), "arp-address", ""),
    ("ARP naming another's MAC", arp(MINE, mac=OTHER, sender="10.88.0.1"), "arp-mac", "arp-mac"),
    (
        "ARP of another kind",
        arp(MINE, mac=MINE, sender="10.88.0.1", kind=b"\x00\x06\x08\x00\x06\x04"),
        "damaged",
        "damaged",
    ),
    ("half an ARP", arp(MINE, mac=MINE, sender="10.88.0.1")[:41], "damaged", "damaged"),
    ("UDP", ipv4(MINE, OTHER, protocol=17, payload=udp(5000, 5001)), "", ""),
    (
        "DHCP question",
        ipv4(MINE, BROADCAST, sender="0.0.0.0", protocol=17, payload=udp(68, 67)),
        "source-address",
        "",
    ),
    ("DHCP answer", ipv4(MINE, OTHER, protocol=17, payload=udp(67, 68)), "dhcp-server", "dhcp-server"),
    (
        "DHCP answer behind options",
        ipv4(MINE, OTHER, protocol=17, words=15, payload=udp(67, 68)),
        "dhcp-server",
        "dhcp-server",
    ),
    (
        "DHCP answer, first piece",
        ipv4(MINE, OTHER, protocol=17, fragment=0x2000, payload=udp(67, 68)),
        "dhcp-server",
        "dhcp-server",
    ),
    (
        "first piece without its ports",
        ipv4(MINE, OTHER, protocol=17, fragment=0x2000, payload=b""),
        "damaged",
        "damaged",
    ),
    ("later piece", ipv4(MINE, OTHER, protocol=17, fragment=0x2001, payload=b"\0\x43" * 4), "", ""),
    ("TCP from port 67", ipv4(MINE, OTHER, protocol=6, payload=udp(67, 68)), "", ""),
    ("IPv4 that says it is IPv6", ethernet(MINE, OTHER, 0x0800, b"\x65" + bytes(30)), "damaged", "damaged"),
    ("IPv4 header too short", ethernet(MINE, OTHER, 0x0800, b"\x44" + bytes(30)), "damaged", "damaged"),
    ("half an IPv4 header", ipv4(MINE, OTHER)[:33], "damaged", "damaged"),
    (
        "IPv6 router advertisement",
        ethernet(MINE, "33:33:00:00:00:01", 0x86DD, b"\x60" + bytes(60)),
        "ethertype",
        "ethertype",
    ),
    ("VLAN tag", ethernet(MINE, OTHER, 0x8100, bytes(60)), "ethertype", "ethertype"),
    ("two VLAN tags", ethernet(MINE, OTHER, 0x88A8, bytes(60)), "ethertype", "ethertype"),
    ("spanning tree", ethernet(MINE, "01:80:c2:00:00:00", 0x0026, bytes(60)), "ethertype", "ethertype"),
]


@pytest.mark.parametrize(("frame", "fixed", "free"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_what_a_guest_may_send(frame: bytes, fixed: str, free: str) -> None:
    assert refusal(frame, FIXED) == fixed
    assert refusal(frame, FREE) == free


@given(st.binary(min_size=14, max_size=100))
def test_any_frame_gets_an_answer(frame: bytes) -> None:
    """And one that is let through carries an own source and one of two protocols."""
    mine = frame[:6] + parse_mac(MINE) + frame[12:]
    for each in (frame, mine):
        if not refusal(each, FIXED):
            assert each[6:12] in FIXED.macs
            assert each[12:14] in (b"\x08\x00", b"\x08\x06")


@pytest.mark.parametrize(
    ("target", "local"),
    [("01:80:c2:00:00:00", True), ("01:80:c2:00:00:0f", True), ("01:80:c2:00:00:10", False), (OTHER, False)],
)
def test_link_local(target: str, local: bool) -> None:
    assert is_link_local(ethernet(OTHER, target, 0x88CC, b"")) is local


@pytest.mark.parametrize(
    "text", ["01:00:5e:00:00:01", "00:00:00:00:00:00", "02:00:00:00:00", "02-00-00-00-00-01"]
)
def test_what_is_no_hosts_mac(text: str) -> None:
    with pytest.raises(EyrieError, match="one host's"):
        parse_mac(text)


def test_a_guests_mac_is_its_own_for_ever() -> None:
    assert guest_mac("lab", "desk-1") == "02:38:cf:4d:c6:e5"
    macs = {guest_mac(pool, f"desk-{number}") for pool in ("a", "b") for number in range(2000)}
    assert len(macs) == 4000
    assert all(mac_text(parse_mac(mac)) == mac for mac in macs)
