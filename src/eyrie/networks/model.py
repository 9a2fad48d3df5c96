# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pool's network is made of: office subnets, hosts in them, and the kind of network wanted."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network
from typing import Final, Literal, get_args

from eyrie.nodetable.table import dotted

Mode = Literal["outbound", "hub", "shadow", "ipip", "wireguard", "ipsec"]
Kind = Literal["linux", "windows", "openmosix"]
Topology = Literal["mesh", "star"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
TUNNELLED: Final = ("ipip", "wireguard", "ipsec")
"""Modes with a device of their own on each host."""

FOU_PORT: Final = 5555
WIREGUARD_PORT: Final = 51820
HUB_PORT: Final = 9620
KLIPS: Final = "ipsec0"
"""FreeS/WAN's device on an openMosix node: it encrypts what is routed to it, or drops it."""


@dataclass(frozen=True)
class Site:
    """One office subnet: what lies in it reaches itself without a router."""

    name: str
    network: IPv4Network
    mtu: int = 1500

    @cached_property
    def span(self) -> tuple[int, int]:
        return int(self.network.network_address), int(self.network.broadcast_address)


@dataclass(frozen=True)
class Reserved:
    """A network that somebody else uses: an office's, a VPN's."""

    name: str
    network: IPv4Network


@dataclass(frozen=True)
class Host:
    """One host by its official address, the one that its own interface has."""

    name: str
    address: int
    kind: Kind = "linux"
    gateway: bool = False  # carries others' traffic where hosts do not all talk directly
    nat: bool = False  # others see it at another address than its interface has, or by a forwarded port

    @cached_property
    def dotted(self) -> str:
        return dotted(self.address)


@dataclass(frozen=True)
class Wanted:
    """What the planner is asked for."""

    mode: Mode
    sites: tuple[Site, ...]
    hosts: tuple[Host, ...]
    private: IPv4Network = field(default_factory=lambda: IPv4Network("10.88.0.0/16"))
    reserved: tuple[Reserved, ...] = ()
    topology: Topology | None = None  # none: chosen by size
    fou: bool = False  # IP-in-IP inside UDP, where a middlebox drops protocol 4
    legacy_nodes: bool = False  # openMosix nodes may take part in mode ipsec, by IKEv1 and weak ciphers

    @cached_property
    def _places(self) -> tuple[list[int], list[Site]]:
        ordered = sorted(self.sites, key=lambda site: site.span)
        return [site.span[0] for site in ordered], ordered

    def site_of(self, address: int) -> Site | None:
        """The subnet an official address is in."""
        starts, ordered = self._places
        place = bisect_right(starts, address) - 1
        return ordered[place] if place >= 0 and address <= ordered[place].span[1] else None


def device(mode: Mode, fou: bool) -> str:
    """The name of the pool's device: another for each kind, as no device can change its kind.

    IPsec protects the same device as plain IP-in-IP, so going from one to the other keeps every address.
    """
    if mode == "wireguard":
        return "eyrie-wg"
    if mode in ("ipip", "ipsec"):
        return "eyrie-fou" if fou else "eyrie-ipip"
    return ""


def mode_of(text: str) -> Mode | None:
    """The mode of this name."""
    return next((mode for mode in MODES if mode == text), None)
