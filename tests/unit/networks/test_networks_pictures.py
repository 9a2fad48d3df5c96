# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan says in words and in pictures."""

from __future__ import annotations

from xml.etree import ElementTree

from eyrie.networks import diagram, explain, plan
from tests.unit.networks.network_pools import office, starred


def test_a_host_is_explained_with_the_source_of_each_number() -> None:
    lines = list(explain.host(plan(starred([2], "ipsec"), None).by_name["master-0"]))
    assert "MTU 1446, MSS 1406 (less 40: IPv4 20, RFC 791, and TCP 20, RFC 9293)" in lines
    assert "   16 bytes AES-GCM integrity check value (RFC 4106)" in lines
    assert "peer desk-0-000 at 10.50.0.10: 10.88.0.10/32" in lines
    assert "firewall: esp from 10.50.0.10, 10.50.0.11 (IPsec ESP, protocol 50)" in lines


def test_a_packets_way_through_a_star_is_told_hop_by_hop() -> None:
    done = plan(starred([1, 1], "ipip", gateways=2), None)
    assert explain.hops(done, "desk-0-000", "desk-1-000") == [
        "desk-0-000",
        "master-0",
        "master-1",
        "desk-1-000",
    ]
    lines = list(explain.way(done, "desk-0-000", "desk-1-000"))
    assert lines[1].startswith(
        "desk-0-000 puts it into eyrie-ipip: outer header 10.50.0.10 to 10.50.0.240 (master-0)"
    )
    assert len(lines) == 4
    three = plan(starred([1], "ipip", gateways=3), None)
    # The second gateway's address is in a block that the first one carries: its own, longer route counts.
    assert explain.hops(three, "master-2", "master-1") == ["master-2", "master-1"]
    assert list(explain.way(plan(office([2], "shadow"), None), "desk-0-000", "desk-0-001"))[1:] == [
        "on the same wire, by ARP, from 10.50.0.10 to 10.50.0.11"
    ]


def test_the_picture_is_whole_and_holds_every_name_it_should() -> None:
    wanted = starred([9, 1, 1])
    done = plan(wanted, None)
    picture = diagram.svg(done, wanted)
    root = ElementTree.fromstring(picture)
    said = [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"ipip, star: 10.88.0.0/16, MTU 1480", "master-0", "desk-1-000", "and 4 more", "router"} <= set(
        said
    )
    lines = [each.get("d", "") for each in root.iter("{http://www.w3.org/2000/svg}path")]
    # Five neighbours beside their column, one next door, one over the top, three to the router.
    assert [sum(mark in line for line in lines) for mark in (" Q ", " C ", " L ")] == [5, 1, 4]
    width, height = int(root.get("width", "0")), int(root.get("height", "0"))
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert int(box.get("x", "0")) + int(box.get("width", "0")) <= width
        assert int(box.get("y", "0")) + int(box.get("height", "0")) <= height


def test_names_cannot_break_the_picture() -> None:
    from dataclasses import replace

    wanted = office([1])
    odd = replace(wanted, sites=(replace(wanted.sites[0], name="R&D <b>"),))
    assert "R&amp;D &lt;b&gt;" in diagram.svg(plan(odd, None), odd)


def test_the_text_counts_what_it_leaves_out() -> None:
    wanted = starred([9])
    lines = list(diagram.text(plan(wanted, None), wanted))
    assert lines[-1] == "│  └─ and 4 more"
    assert "│  ├─ master-0         10.50.0.240     10.88.0.240     gateway of 9" in lines
    assert "│  ├─ desk-0-000       10.50.0.10      10.88.0.10      ──> master-0" in lines
