# SPDX-License-Identifier: GPL-3.0-or-later
"""From single nodes to the fewest ranges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from eyrie.errors import EyrieError
from eyrie.nodetable.table import MAX_ENTRIES, MAX_NUMBER, Entry, Table, dotted, numeric


def compress(nodes: Mapping[int, str]) -> Table:
    """The fewest ranges that give these numbers to these addresses, in the order of numbers."""
    entries = tuple(_runs(sorted((number, numeric(address)) for number, address in nodes.items())))
    if len(entries) > MAX_ENTRIES:
        raise EyrieError(
            "node table",
            seen=f"{len(entries)} ranges",
            wanted=f"at most {MAX_ENTRIES}",
            next_step="number the nodes of each subnet one after the other, in the order of their addresses",
        )
    return Table(entries)


def _runs(nodes: list[tuple[int, int]]) -> Iterable[Entry]:
    """An entry for each run of numbers at consecutive addresses."""
    _refuse_twice(nodes)
    start = 0
    for place in range(1, len(nodes) + 1):
        number, address = nodes[place - 1]
        if place == len(nodes) or nodes[place] != (number + 1, address + 1):
            first, low = nodes[start]
            yield Entry(first, dotted(low), place - start)
            start = place


def _refuse_twice(nodes: list[tuple[int, int]]) -> None:
    seen: dict[int, int] = {}
    for number, address in nodes:
        if not 1 <= number <= MAX_NUMBER:
            raise EyrieError(
                f"node at {dotted(address)}", seen=number, wanted=f"a number from 1 to {MAX_NUMBER}"
            )
        if address in seen:
            raise EyrieError(
                f"address {dotted(address)}",
                seen=f"node {seen[address]} and node {number}",
                wanted="one number an address",
            )
        seen[address] = number
