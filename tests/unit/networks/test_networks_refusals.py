# SPDX-License-Identifier: GPL-3.0-or-later
"""What the planner refuses, and the reason that it gives."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest

from eyrie.errors import EyrieError
from eyrie.networks import Host, Refused, Reserved, Site, Wanted, plan
from tests.unit.networks.network_pools import office, starred

NODE = Host("node-1", 0x0A320032, "openmosix")


def with_host(wanted: Wanted, **values: Any) -> Wanted:
    """The same pool, the first desktop changed."""
    first = next(host for host in wanted.hosts if host.name == "desk-0-000")
    rest = tuple(host for host in wanted.hosts if host is not first)
    return replace(wanted, hosts=(*rest, replace(first, **values)))


def with_node(wanted: Wanted, **values: Any) -> Wanted:
    return replace(wanted, hosts=(*wanted.hosts, replace(NODE, **values)))


CASES = {
    "shadow across a router": (
        office([1, 1], "shadow"),
        "mode shadow: found 'hosts in 2 subnets (s0, s1)', wanted all hosts in",
    ),
    "openMosix behind address translation": (
        with_node(office([1]), nat=True),
        "node-1 in mode ipip: found 'behind address translation', wanted",
    ),
    "two hosts behind one address": (
        with_host(office([2]), address=0x0A32000B),
        "address 10.50.0.11: found 'desk-0-001, desk-0-000', ",
    ),
    "IP-in-IP behind address translation": (
        with_host(office([2]), nat=True),
        "found 'behind address translation', wanted its own",
    ),
    "IPsec behind address translation": (
        with_host(office([2], "ipsec"), nat=True),
        "found 'behind address translation', wanted its own",
    ),
    "WireGuard, both behind address translation": (
        replace(
            office([2], "wireguard", topology="mesh"),
            hosts=tuple(replace(h, nat=not h.gateway) for h in office([2]).hosts),
        ),
        "hosts desk-0-000 and desk-0-001: found 'both behind address translation'",
    ),
    "a gateway behind address translation": (
        replace(starred([1], "wireguard"), hosts=(Host("m", 0x0A320005, gateway=True, nat=True),)),
        "host m in mode wireguard: found 'a gateway behind address translation'",
    ),
    "a gateway that is a node": (
        replace(starred([1]), hosts=(replace(NODE, gateway=True),)),
        "found 'a gateway of kind openmosix'",
    ),
    "overlap with the office": (
        office([1], private=IPv4Network("10.48.0.0/12")),
        "found 'overlaps 10.50.0.0/24 (subnet s0)'",
    ),
    "overlap with a VPN": (
        office([1], reserved=(Reserved("the road warriors", IPv4Network("10.88.7.0/24")),)),
        "found 'overlaps 10.88.7.0/24 (the road warriors, which is reserved)'",
    ),
    "public addresses as private ones": (
        office([1], private=IPv4Network("8.0.0.0/16")),
        "found '8.0.0.0/16', wanted one of RFC 1918",
    ),
    "no room": (office([1], private=IPv4Network("10.88.0.0/25")), "wanted one of RFC 1918 with 8 to 24 bits"),
    "MTU too small": (
        replace(office([1], "wireguard"), sites=(Site("s0", IPv4Network("10.50.0.0/24"), 635),)),
        "subnet s0: MTU: found 635, wanted 636 to 65535: mode wireguard takes 60 (20 outer",
    ),
    "WireGuard on a 2.4 kernel": (
        with_node(office([1], "wireguard")),
        "found 'a 2.4 kernel', wanted a kernel with",
    ),
    "IPsec on a 2.4 kernel": (with_node(office([1], "ipsec")), "found 'a 2.4 kernel'"),
    "fou on a 2.4 kernel": (with_node(office([1], fou=True)), "found 'a 2.4 kernel', wanted a kernel with"),
    "fou without IP-in-IP": (office([1], "wireguard", fou=True), "mode wireguard: found 'pool_network_fou'"),
    "Windows": (with_host(office([1]), kind="windows"), "found 'a Windows desktop', wanted Linux"),
    "star without a middle": (office([40], gateways=0), "gateways of the pool's network: found 'none'"),
    "nobody": (replace(office([1]), hosts=()), "pool network: found 'no host'"),
    "an address of no subnet": (
        with_host(office([1]), address=0x0A630001),
        "host desk-0-000: address: found '10.99.0.1', wanted one of",
    ),
    "a broadcast address": (
        with_host(office([1]), address=0x0A3200FF),
        "found '10.50.0.255', wanted a host's",
    ),
    "subnets that overlap": (
        replace(
            office([1]),
            sites=(Site("a", IPv4Network("10.50.0.0/16")), Site("b", IPv4Network("10.50.0.0/24"))),
        ),
        "subnets b and a: found '10.50.0.0/24 and 10.50.0.0/16'",
    ),
    "a name twice": (with_host(office([2]), name="desk-0-001"), "host desk-0-001: found '2 of this name'"),
}


@pytest.mark.parametrize(("wanted", "said"), CASES.values(), ids=CASES)
def test_refused(wanted: Wanted, said: str) -> None:
    with pytest.raises(Refused) as refusal:
        plan(wanted, None)
    assert said in " ".join(map(str, refusal.value.faults))


def test_all_faults_are_told_at_once() -> None:
    wanted = with_node(with_host(office([1, 1], "shadow"), kind="windows"), nat=True)
    with pytest.raises(Refused, match=r"mode shadow.*and 2 more") as refusal:
        plan(wanted, None)
    assert len(refusal.value.faults) == 3


def test_what_just_fits_is_no_fault() -> None:
    narrow = (Site("s0", IPv4Network("10.50.0.0/24"), 636),)
    assert plan(replace(office([1], "wireguard"), sites=narrow), None).hosts[0].mtu == 576
    assert plan(office([5], "shadow"), None).hosts[0].device == ""
    assert plan(with_node(office([1])), None).by_name["node-1"].kind == "openmosix"


def test_a_private_network_that_is_full_is_said() -> None:
    with pytest.raises(
        EyrieError, match=r"private network 10.88.0.0/24: found '1 blocks of 256 addresses, all"
    ):
        plan(office([1, 1], private=IPv4Network("10.88.0.0/24")), None)


def test_a_lost_file_is_noticed_by_what_hosts_carry() -> None:
    wanted = office([2])
    first = plan(wanted, None)
    found = {"desk-0-000": "10.88.0.10"}
    with pytest.raises(EyrieError, match="addresses file: found 'none, but 1 hosts carry a private address"):
        plan(wanted, None, found=found)
    assert plan(wanted, first.state, found=found).state == first.state
    with pytest.raises(
        EyrieError, match=r"host desk-0-000: found '10.88.9.9', wanted 10.88.0.10: the addresses"
    ):
        plan(wanted, first.state, found={"desk-0-000": "10.88.9.9"})
    assert plan(wanted, None, found={"desk-0-000": "10.88.9.9"}, new=True).state == first.state


def test_another_private_network_is_refused_where_addresses_were_given() -> None:
    first = plan(office([1]), None)
    other = office([1], private=IPv4Network("10.89.0.0/16"))
    with pytest.raises(
        EyrieError, match=r"found '10.89.0.0/16', wanted 10.88.0.0/16, of which addresses were"
    ):
        plan(other, first.state)
    assert plan(other, first.state, new=True).hosts[0].network == "10.89.0.0/16"
