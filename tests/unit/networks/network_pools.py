# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools for the tests of networks, and a walk along a plan's routes."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from eyrie.networks import Host, Mode, NetworkPlan, Site, Wanted
from eyrie.networks.model import Topology


def office(sizes: list[int], mode: Mode = "ipip", *, gateways: int = 1, **more: object) -> Wanted:
    """Subnets of so many desktops each; the masters are in the first."""
    sites = tuple(
        Site(f"s{number}", IPv4Network((0x0A320000 + number * 256, 24))) for number in range(len(sizes))
    )
    masters = [
        Host(f"master-{number}", int(sites[0].network[0]) + 240 + number, gateway=True)
        for number in range(gateways)
    ]
    desktops = [
        Host(f"desk-{site}-{place:03}", int(sites[site].network[0]) + 10 + place)
        for site, size in enumerate(sizes)
        for place in range(size)
    ]
    return Wanted(mode, sites, (*masters, *desktops), **more)  # type: ignore[arg-type]


def starred(sizes: list[int], mode: Mode = "ipip", gateways: int = 1) -> Wanted:
    topology: Topology = "star"
    return office(sizes, mode, gateways=gateways, topology=topology)


def walk(plan: NetworkPlan, source: str, target: str) -> Iterator[str]:
    """Each host that a packet passes; fails where a host has no way, two equal ones, or a circle."""
    address, here = IPv4Address(plan.by_name[target].private), source
    for _ in range(8):
        yield here
        if here == target:
            return
        ways = [
            (IPv4Network(route).prefixlen, peer.name)
            for peer in plan.by_name[here].peers
            for route in peer.routes
            if address in IPv4Network(route)
        ]
        longest = max(length for length, _ in ways)
        (here,) = [name for length, name in ways if length == longest]
    raise AssertionError(f"a circle between {source} and {target}")
