# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools that exist already: their node table, a list of hosts as CSV, or a hosts file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from eyrie.errors import EyrieError
from eyrie.nodetable.names import Lookup, no_names
from eyrie.nodetable.parse import parse
from eyrie.nodetable.state import Numbered, State
from eyrie.nodetable.strict import no_host
from eyrie.nodetable.table import dotted, numeric


@dataclass(frozen=True)
class Pool:
    """What `plan` starts from: subnets as an inventory writes them, and hosts."""

    subnets: tuple[dict[str, str], ...]
    hosts: Mapping[str, str]


def from_map(data: bytes, source: str, lookup: Lookup = no_names) -> State:
    """The numbers of a table that is in use, all kept; a range is called after its first address."""
    table = parse(data, source, lookup)
    for entry in table.entries:
        if nowhere := no_host(entry):
            raise EyrieError(
                f"{source} line {entry.line}: {entry}", seen=nowhere[1], wanted="addresses of hosts"
            )
    ordered = sorted(table.ranges, key=lambda entry: entry.first)
    ranges = (Numbered(entry.address, entry.first, entry.address, entry.count) for entry in ordered)
    return State(tuple(ranges), table.aliases)


def subnets_of(state: State) -> tuple[dict[str, str], ...]:
    """Subnets for the inventory that keep exactly these ranges, each in the smallest network for it."""
    return tuple(
        {
            "name": each.subnet,
            "network": str(_network(each.entry.start, each.end)),
            "first": each.address,
            "last": dotted(each.end),
        }
        for each in state.ranges
    )


def from_csv(text: str, source: str, networks: Iterable[IPv4Network] = ()) -> Pool:
    """Hosts with the columns name and address; a column subnet (such as 10.77.0.0/24) gives the subnets."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), skipinitialspace=True)
    columns = [(column or "").strip().lower() for column in reader.fieldnames or ()]
    if not {"name", "address"} <= set(columns):
        raise EyrieError(
            f"{source} line 1", seen=",".join(columns), wanted="the columns name,address[,subnet]"
        )
    reader.fieldnames = columns
    hosts: dict[str, str] = {}
    found = list(networks)
    try:
        for row in reader:
            where = f"{source} line {reader.line_num}"
            name, address = (row["name"] or "").strip(), (row["address"] or "").strip()
            if not name and not address:
                continue
            _add(hosts, name, address, where)
            if subnet := (row.get("subnet") or "").strip():
                found.append(_given_network(subnet, where))
    except csv.Error as error:
        raise EyrieError(f"{source} line {reader.line_num}", seen=str(error), wanted="a CSV file") from None
    return Pool(_subnets(hosts, found), hosts)


def from_hosts(text: str, source: str, networks: Iterable[IPv4Network] = ()) -> Pool:
    """The hosts of a hosts file, under their first name; with networks only those that are in one."""
    wanted = list(networks)
    known: set[str] = set()
    hosts: dict[str, str] = {}
    for number, address, names in host_lines(text):
        if not names:
            continue
        value = IPv4Address(address)
        if value.is_loopback or value.is_multicast or value.is_unspecified:
            continue
        if wanted and not any(value in network for network in wanted):
            continue
        if address not in known or names[0] in hosts:
            known.add(address)
            _add(hosts, names[0], address, f"{source} line {number}")
    return Pool(_subnets(hosts, wanted), hosts)


def host_lines(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Line number, IPv4 address and names of each line of a hosts file that has one."""
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split("#", 1)[0].split()
        octets = words[0].split(".") if words else []
        # As the C library of a node: decimal, also with zeros in front.
        if len(octets) == 4 and all(
            each.isascii() and each.isdigit() and int(each) <= 255 for each in octets
        ):
            yield number, ".".join(str(int(each)) for each in octets), words[1:]


def _is_octet(text: str) -> bool:
    return len(text) < 20 and text.isascii() and text.isdigit() and int(text) <= 255


def host_names(text: str) -> dict[str, str]:
    """Every name of a hosts file; the first line that has a name decides, as on a node."""
    names: dict[str, str] = {}
    for _, address, found in host_lines(text):
        for name in found:
            names.setdefault(name.lower(), address)
    return names


def _add(hosts: dict[str, str], name: str, address: str, where: str) -> None:
    try:
        numeric(address)
    except ValueError:
        raise EyrieError(f"{where}: address", seen=address, wanted="an IPv4 address of four octets") from None
    if not name or not name.isprintable():
        raise EyrieError(f"{where}: name", seen=name, wanted="the name of the host")
    if hosts.get(name, address) != address:
        raise EyrieError(
            f"{where}: host {name}", seen=f"{hosts[name]} and {address}", wanted="one address a host"
        )
    hosts[name] = address


def _subnets(hosts: Mapping[str, str], networks: Iterable[IPv4Network]) -> tuple[dict[str, str], ...]:
    """The networks given, and a /24 for each host that is in none of them, in the order of addresses."""
    found = list(dict.fromkeys(networks))
    for address in sorted(hosts.values(), key=numeric):
        value = IPv4Address(address)
        if not any(value in network for network in found):
            found.append(IPv4Network((int(value) & 0xFFFFFF00, 24)))
    return tuple({"name": str(network.network_address), "network": str(network)} for network in sorted(found))


def _given_network(text: str, where: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except ValueError as error:
        raise EyrieError(
            f"{where}: subnet", seen=text, wanted="such as 10.77.0.0/24", next_step=str(error)
        ) from None


def _network(first: int, last: int) -> IPv4Network:
    """The smallest network with these addresses among those of its hosts."""
    prefix = 32 - max((first ^ last).bit_length(), 2)
    while True:
        network = IPv4Network((first, prefix), strict=False)
        if int(network[0]) < first and last < int(network[-1]):
            return network
        prefix -= 1


def pool_text(pool: Pool) -> dict[str, Any]:
    """The plan file of a pool."""
    return {"subnets": [dict(subnet) for subnet in pool.subnets], "hosts": dict(pool.hosts)}
