# SPDX-License-Identifier: GPL-3.0-or-later
"""What setpe lets pass although no pool can work with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network

from eyrie.errors import EyrieError
from eyrie.nodetable.scan import written_address
from eyrie.nodetable.setpe import SOURCE
from eyrie.nodetable.table import Entry, Table, dotted

_OCTET = r"(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
_QUAD = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}")
_NUMERIC = re.compile(r"[0-9.+-][0-9a-fA-FxX.+-]*")  # meant as an address, not as a name
_NOWHERE = (
    (IPv4Network("0.0.0.0/32"), "0.0.0.0, which is no address"),
    (IPv4Network("0.0.0.0/8"), "an address of 0.0.0.0/8, which no host can have"),
    (IPv4Network("127.0.0.0/8"), "a loopback address"),
    (IPv4Network("224.0.0.0/4"), "a multicast address"),
    (IPv4Network("240.0.0.0/4"), "an address of 240.0.0.0/4, which no host can have"),
)


class TableFault(EyrieError):
    """An entry that cannot work, with the line of the map where it is."""

    line: int | None = None


def faults(table: Table, networks: Sequence[IPv4Network] = (), source: str = SOURCE) -> list[TableFault]:
    """Every entry that cannot work; `networks` are the pool's subnets, /24s if none are given."""
    found: list[TableFault] = []
    for entry in table.entries:
        where = f"{source} line {entry.line}" if entry.line else source
        for fault in _entry_faults(entry, networks, where):
            fault.line = entry.line
            found.append(fault)
    return found


def _entry_faults(entry: Entry, networks: Sequence[IPv4Network], where: str) -> Iterator[TableFault]:
    written = written_address(entry.text)
    if _NUMERIC.fullmatch(written) and not _QUAD.fullmatch(written):
        yield TableFault(
            f"{where}: address",
            seen=written,
            wanted=f"four plain octets: setpe takes it for {entry.address}",
        )
    if entry.zero:
        yield TableFault(f"{where}: COUNT", seen=0, wanted="1 or more nodes, or the word alias")
    nowhere = no_host(entry)
    if nowhere:
        yield _nowhere_error(where, entry, nowhere)
    elif networks:
        yield from _outside(entry, networks, where)
    elif not entry.alias and (seen := _edge_of_24(entry)):
        yield TableFault(
            f"{where}: range {entry}",
            seen=seen,
            wanted="addresses of hosts only",
            next_step="name the subnet with --network if it is larger than a /24",
        )


def _nowhere_error(where: str, entry: Entry, nowhere: tuple[int, str]) -> TableFault:
    """An address that no host can have."""
    address, words = nowhere
    return TableFault(
        f"{where}: entry {entry}", seen=dotted(address), wanted=f"addresses of hosts, not {words}"
    )


def no_host(entry: Entry) -> tuple[int, str] | None:
    """The first address of the entry that no host can have."""
    end = entry.start + max(entry.count, 1)
    for network, words in _NOWHERE:
        low = max(entry.start, int(network.network_address))
        if low < min(end, int(network.broadcast_address) + 1):
            return low, words
    return None


def _outside(entry: Entry, networks: Sequence[IPv4Network], where: str) -> Iterator[TableFault]:
    """The entry against the pool's subnets."""
    home = next((net for net in networks if int(net[0]) <= entry.start <= int(net[-1])), None)
    end = entry.start + max(entry.count, 1) - 1
    if home is None or end > int(home[-1]):
        yield TableFault(
            f"{where}: {'alias' if entry.alias else 'range'} {entry}",
            seen=entry.address if home is None else dotted(end),
            wanted=f"addresses inside one of {', '.join(map(str, networks))}",
        )
    elif home.prefixlen < 31 and (entry.start == int(home[0]) or end == int(home[-1])):
        edge = "network" if entry.start == int(home[0]) else "broadcast"
        address = entry.start if edge == "network" else end
        yield TableFault(
            f"{where}: entry {entry}",
            seen=dotted(address),
            wanted=f"addresses of hosts, not the {edge} address of {home}",
        )


def _edge_of_24(entry: Entry) -> str | None:
    """The first address of a range that ends in 0 or 255."""
    low = entry.start & 0xFF
    if low in (0, 255):
        return entry.address
    edge = entry.start + 255 - low
    return dotted(edge) if edge < entry.start + entry.count else None
