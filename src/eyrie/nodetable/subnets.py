# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool's subnets: which addresses get node numbers, and whether every host has one of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import pairwise
from typing import Any

from eyrie.errors import EyrieError
from eyrie.nodetable.table import dotted, numeric

FIELDS = frozenset({"name", "network", "first", "last"})


@dataclass(frozen=True)
class Subnet:
    """Addresses from `first` to `last` of a network; each of them gets a number, used or not."""

    name: str
    network: IPv4Network
    first: int
    last: int

    @property
    def span(self) -> str:
        return f"{dotted(self.first)}-{dotted(self.last)}"

    @property
    def count(self) -> int:
        return self.last - self.first + 1


def read_subnets(values: Iterable[Any]) -> tuple[Subnet, ...]:
    """Subnets as an inventory gives them; EyrieError for what is not one, and for two that overlap."""
    subnets = tuple(map(_read, values))
    names: set[str] = set()
    for subnet in subnets:
        if subnet.name in names:
            raise EyrieError(
                f"subnet {subnet.name}", seen="two of this name", wanted="a name of its own for each"
            )
        names.add(subnet.name)
    _refuse_overlap(subnets)
    return subnets


def _read(value: Any) -> Subnet:
    """One subnet; first and last default to the ends of its host addresses."""
    if (
        not isinstance(value, Mapping)
        or not value.keys() >= {"name", "network"}
        or not value.keys() <= FIELDS
    ):
        raise EyrieError("subnet", seen=value, wanted="name and network, and if need be first and last")
    name = value["name"]
    if not isinstance(name, str) or not name or not name.isprintable():
        raise EyrieError("subnet: name", seen=name, wanted="a text")
    try:
        network = IPv4Network(str(value["network"]))
    except ValueError as error:
        raise EyrieError(
            f"subnet {name}: network",
            seen=str(value["network"]),
            wanted="such as 10.77.0.0/24",
            next_step=str(error),
        ) from None
    low, high = int(network.network_address), int(network.broadcast_address)
    if network.prefixlen < 31:
        low, high = low + 1, high - 1
    first = _end(name, "first", value.get("first"), low, (low, high))
    last = _end(name, "last", value.get("last"), high, (first, high))
    return Subnet(name, network, first, last)


def _end(name: str, key: str, value: Any, default: int, bounds: tuple[int, int]) -> int:
    if value is None:
        return default
    wanted = f"an address from {dotted(bounds[0])} to {dotted(bounds[1])}"
    try:
        address = numeric(str(value))
    except ValueError:
        raise EyrieError(f"subnet {name}: {key}", seen=str(value), wanted=wanted) from None
    if not bounds[0] <= address <= bounds[1]:
        raise EyrieError(f"subnet {name}: {key}", seen=str(value), wanted=wanted)
    return address


def _refuse_overlap(subnets: Sequence[Subnet]) -> None:
    ordered = sorted(subnets, key=lambda subnet: subnet.first)
    for before, after in pairwise(ordered):
        if after.first <= before.last:
            raise EyrieError(
                f"subnet {after.name} ({after.span})",
                seen=f"overlaps subnet {before.name} ({before.span})",
                wanted="every address in one subnet only",
            )


def check_hosts(hosts: Mapping[str, str], subnets: Sequence[Subnet]) -> None:
    """EyrieError for a host whose address no subnet numbers, or that another host has."""
    ordered = sorted(subnets, key=lambda subnet: subnet.first)
    starts = [subnet.first for subnet in ordered]
    ends = [subnet.last for subnet in ordered]
    taken: dict[int, str] = {}
    for name, text in hosts.items():
        try:
            address = numeric(text)
        except (ValueError, TypeError):
            raise EyrieError(
                f"host {name}: address", seen=text, wanted="an IPv4 address of four octets"
            ) from None
        place = bisect_right(starts, address) - 1
        if place < 0 or address > ends[place]:
            raise _outside(name, address, subnets)
        other = taken.setdefault(address, name)
        if other != name:
            raise EyrieError(
                f"address {text}", seen=f"host {other} and host {name}", wanted="one host an address"
            )


def _outside(name: str, address: int, subnets: Sequence[Subnet]) -> EyrieError:
    """Say whether the address is none of a host, outside the limits of its subnet, or of no subnet at all."""
    thing, seen = f"host {name}: address", dotted(address)
    for subnet in subnets:
        network = subnet.network
        if int(network.network_address) <= address <= int(network.broadcast_address):
            if network.prefixlen < 31 and address in (int(network[0]), int(network[-1])):
                word = "network" if address == int(network[0]) else "broadcast"
                return EyrieError(
                    thing, seen=seen, wanted=f"a host's address, not the {word} address of {network}"
                )
            return EyrieError(
                thing,
                seen=seen,
                wanted=f"one of subnet {subnet.name}: {subnet.span}",
                next_step="add a subnet for it",
            )
    names = ", ".join(f"{subnet.name} {subnet.span}" for subnet in subnets) or "none is given"
    return EyrieError(
        thing, seen=seen, wanted=f"an address of a subnet ({names[:300]})", next_step="add its subnet"
    )
