# SPDX-License-Identifier: GPL-3.0-or-later
"""Laws of the planner: addresses for ever, one way between any two, and changes only where they must be."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.networks import MODES, Host, Mode, Refused, Site, changes, plan
from eyrie.networks.model import TUNNELLED
from eyrie.networks.plan import MESH_MOST
from tests.unit.networks.network_pools import office, starred, walk

SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=4)
TOPOLOGIES = st.sampled_from(["mesh", "star"])
TUNNELS = st.sampled_from(TUNNELLED)


@given(SIZES, st.sampled_from([mode for mode in MODES if mode != "shadow"]))
def test_no_address_is_given_twice_and_all_are_of_the_pool(sizes: list[int], mode: Mode) -> None:
    wanted = office(sizes, mode)
    state = plan(wanted, None).state
    addresses = [IPv4Address(each) for each in state.addresses.values()]
    assert len(set(addresses)) == len(wanted.hosts) == len(addresses)
    assert all(address in wanted.private for address in addresses)
    assert not {int(address) % 256 for address in addresses} & {0, 255}


@given(SIZES, TUNNELS, TOPOLOGIES, st.integers(1, 3))
def test_every_pair_is_routed_one_way_and_back_the_same(
    sizes: list[int], mode: Mode, topology: Any, gateways: int
) -> None:
    done = plan(replace(office(sizes, mode, gateways=gateways), topology=topology), None)
    names = list(done.by_name)
    for one in names:
        for two in names:
            if one != two:
                way = list(walk(done, one, two))
                assert way == list(walk(done, two, one))[::-1]
                assert len(way) <= (2 if topology == "mesh" else 4)


@given(SIZES, TUNNELS, TOPOLOGIES)
def test_peers_are_mutual(sizes: list[int], mode: Mode, topology: Any) -> None:
    done = plan(replace(office(sizes, mode, gateways=2), topology=topology), None)
    pairs = {(host.name, peer.name) for host in done.hosts for peer in host.peers}
    assert pairs == {(two, one) for one, two in pairs}
    if topology == "mesh":
        assert len(pairs) == len(done.hosts) * (len(done.hosts) - 1)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 40)), max_size=6))
def test_growth_only_appends_and_who_left_comes_back_to_its_address(steps: list[tuple[int, int]]) -> None:
    sizes = [1]
    before = plan(starred(sizes), None).state
    for site, size in steps:
        sizes += [1] * (site + 1 - len(sizes))
        sizes[site] = size
        after = plan(starred(sizes), before).state
        assert after.blocks[: len(before.blocks)] == before.blocks
        assert [(each.host, each.address) for each in after.given][: len(before.given)] == [
            (each.host, each.address) for each in before.given
        ]
        before = after
    assert plan(starred(sizes), before).state == before


@given(SIZES, TUNNELS, TUNNELS)
def test_a_change_of_mode_keeps_every_address(sizes: list[int], one: Mode, two: Mode) -> None:
    first = plan(office(sizes, one), None)
    second = plan(office(sizes, two), first.state)
    assert second.state == first.state
    assert {h.name: h.private for h in first.hosts} == {h.name: h.private for h in second.hosts}
    touched = {each.name for each in changes(first, second)}
    assert touched == (set() if one == two else set(first.by_name))


def test_the_last_number_of_the_official_address_is_kept_where_it_is_free() -> None:
    first = plan(office([3, 2]), None)
    assert first.by_name["desk-0-001"].private == "10.88.0.11"
    assert first.by_name["desk-1-001"].private == "10.88.1.11"
    twice = replace(office([3]), sites=(Site("wide", IPv4Network("10.50.0.0/22")),))
    twice = replace(twice, hosts=(*twice.hosts, Host("other", int(IPv4Address("10.50.1.11")))))
    assert plan(twice, None).by_name["other"].private == "10.88.0.1"


def test_a_new_subnet_touches_itself_and_the_gateway_only() -> None:
    first = plan(starred([4, 4]), None)
    second = plan(starred([4, 4, 3]), first.state)
    touched = {each.name: each.what for each in changes(first, second)}
    assert touched == {
        **{f"desk-2-{number:03}": ("joins",) for number in range(3)},
        "master-0": ("peers: 3 more", "openings of the firewall"),
    }
    assert changes(second, plan(starred([4, 4, 3]), second.state)) == ()


def test_a_new_gateway_takes_nobody_from_the_others() -> None:
    first = plan(starred([4, 4]), None)
    second = plan(starred([4, 4], gateways=2), first.state)
    assert {each.name for each in changes(first, second)} == {"master-0", "master-1"}
    third = plan(starred([4, 4, 3], gateways=2), second.state)
    assert {peer.name for peer in third.by_name["desk-2-000"].peers} == {"master-1"}
    # The one that leaves hands over to the other.
    left = replace(third_wanted := starred([4, 4, 3], gateways=2), hosts=third_wanted.hosts[1:])
    assert {peer.name for peer in plan(left, third.state).by_name["desk-0-000"].peers} == {"master-1"}


def test_a_host_that_moves_to_another_subnet_takes_its_address_along() -> None:
    wanted = starred([2, 2])
    first = plan(wanted, None)
    moved = tuple(
        replace(host, address=wanted.sites[1].span[0] + 99) if host.name == "desk-0-000" else host
        for host in wanted.hosts
    )
    second = plan(replace(wanted, hosts=moved), first.state)
    assert second.state == first.state
    assert {each.name for each in changes(first, second)} == {"desk-0-000", "master-0"}


def test_an_address_of_a_host_that_left_stays_its_own() -> None:
    wanted = office([3])
    first = plan(wanted, None)
    left = plan(replace(wanted, hosts=wanted.hosts[:-1]), first.state)
    assert "desk-0-002" not in left.state.addresses
    assert left.notes[-1] == "host desk-0-002 left: its address stays its own"
    other = replace(wanted.hosts[-1], name="another")
    more = plan(replace(wanted, hosts=(*wanted.hosts[:-1], other)), left.state)
    assert more.by_name["another"].private != first.by_name["desk-0-002"].private
    assert plan(wanted, more.state).by_name["desk-0-002"].private == first.by_name["desk-0-002"].private


def test_mesh_or_star_is_chosen_by_size_and_said() -> None:
    small, large = plan(office([MESH_MOST - 1]), None), plan(office([MESH_MOST]), None)
    assert (small.topology, large.topology) == ("mesh", "star")
    assert small.notes == ("mesh: 32 hosts, at most 32 have tunnels to one another",)
    assert large.notes == ("star: 33 hosts, more than 32; traffic goes through the gateways",)
    assert large.by_name["master-0"].forwards and not large.by_name["desk-0-000"].forwards


@pytest.mark.parametrize(
    ("mode", "fou", "mtu"),
    [("shadow", False, 1500), ("ipip", False, 1480), ("ipip", True, 1472), ("wireguard", False, 1440),
     ("ipsec", False, 1446), ("hub", False, 1500)],
)  # fmt: skip
def test_mtu_and_mss_of_each_mode(mode: Mode, fou: bool, mtu: int) -> None:
    done = plan(office([2], mode, fou=fou), None)
    assert {(host.mtu, host.mss) for host in done.hosts} == {(mtu, mtu - 40)}


def test_the_narrowest_subnet_decides_for_all() -> None:
    wanted = office([1, 1])
    narrow = (wanted.sites[0], replace(wanted.sites[1], mtu=1400))
    assert {host.mtu for host in plan(replace(wanted, sites=narrow), None).hosts} == {1380}
    # ESP ends on a multiple of four bytes: 1445 would fit, and need three of padding.
    odd = (wanted.sites[0], replace(wanted.sites[1], mtu=1499))
    assert {host.mtu for host in plan(replace(wanted, sites=odd, mode="ipsec"), None).hosts} == {1442}


def test_openings_name_who_may_knock() -> None:
    done = plan(office([1, 1], "ipsec"), None)
    openings = done.by_name["desk-0-000"].openings
    assert [(each.protocol, each.port) for each in openings] == [("esp", 0), ("udp", 500), ("udp", 4500)]
    assert {each.sources for each in openings} == {("10.50.0.240", "10.50.1.10")}
    hub = plan(office([1, 1], "hub"), None)
    assert [(each.port, each.sources) for each in hub.by_name["master-0"].openings] == [
        (9620, ("10.50.0.0/24", "10.50.1.0/24"))
    ]
    assert hub.by_name["desk-0-000"].openings == ()


def test_a_host_behind_address_translation_calls_and_is_not_called() -> None:
    wanted = starred([2], "wireguard")
    hidden = tuple(replace(host, nat=host.name == "desk-0-000") for host in wanted.hosts)
    done = plan(replace(wanted, hosts=hidden), None)
    assert done.by_name["desk-0-000"].keepalive == 25
    (peer,) = [peer for peer in done.by_name["master-0"].peers if peer.name == "desk-0-000"]
    assert peer.endpoint == ""
    assert done.by_name["master-0"].openings[0].sources == ()
    everybody = tuple(replace(host, nat=not host.gateway) for host in wanted.hosts)
    assert plan(replace(wanted, hosts=everybody, topology=None), None).topology == "star"


def test_two_thousand_desktops_in_twenty_subnets() -> None:
    done = plan(office([100] * 20, "wireguard"), None)
    assert len(done.by_name["master-0"].peers) == 2000
    with pytest.raises(
        Refused, match="tunnels of host master-0: found 2000, wanted at most 512 in mode ipsec"
    ):
        plan(office([100] * 20, "ipsec"), None)
    four = plan(office([100] * 20, "ipsec", gateways=4), None)
    assert {len(four.by_name[f"master-{number}"].peers) for number in range(4)} == {503}
