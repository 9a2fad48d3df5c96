# SPDX-License-Identifier: GPL-3.0-or-later
"""Give each host a private address beside its official one, and never a different one again.

A subnet owns blocks of 256 addresses. A host gets the last number of its official address where that is
free, so that people recognise it, else the first that was never given. The name keeps the address: a host
that moves to another subnet takes it along.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Network

from eyrie.errors import EyrieError
from eyrie.networks.model import Host, Wanted
from eyrie.networks.state import BLOCK, Block, Given, State


def assign(wanted: Wanted, state: State | None) -> tuple[State, tuple[str, ...]]:
    """The state with an address for every host, and what a reader should know; growth only appends."""
    state = state or State(wanted.private)
    _refuse_another_network(wanted, state)
    names = {host.name for host in wanted.hosts}
    given: list[Given] = []
    notes: list[str] = []
    old = {each.host: place for place, each in enumerate(state.given)}  # of several the latest
    for place, each in enumerate(state.given):
        retired = each.host not in names or old[each.host] != place
        given.append(replace(each, retired=retired))
        if retired and not each.retired:
            notes.append(f"host {each.host} left: its address stays its own")
    known = {each.host for each in given if not each.retired}
    giver = _Giver(state.private, list(state.blocks), {each.address for each in given})
    for host in sorted(wanted.hosts, key=lambda host: host.address):
        if host.name not in known:
            given.append(Given(host.name, giver.give(_site_name(wanted, host), host)))
    blocks = _with_gateways(giver.blocks, [host.name for host in wanted.hosts if host.gateway])
    return State(state.private, tuple(blocks), tuple(given)), tuple(notes)


class _Giver:
    """Gives free addresses, block by block of a subnet."""

    def __init__(self, private: IPv4Network, blocks: list[Block], taken: set[int]) -> None:
        self._private = private
        self.blocks = blocks
        self._taken = taken
        self._starts: dict[str, list[int]] = {}
        for block in blocks:
            self._starts.setdefault(block.subnet, []).append(block.start)
        self._next = max((block.start for block in blocks), default=-BLOCK) + BLOCK

    def give(self, subnet: str, host: Host) -> int:
        last = host.address % BLOCK
        for start in self._starts.get(subnet, []):
            if 0 < last < BLOCK - 1 and start + last not in self._taken:
                return self._take(start + last)
            for address in range(start + 1, start + BLOCK - 1):
                if address not in self._taken:
                    return self._take(address)
        self._append(subnet)
        return self.give(subnet, host)

    def _take(self, address: int) -> int:
        self._taken.add(address)
        return address

    def _append(self, subnet: str) -> None:
        low, high = int(self._private.network_address), int(self._private.broadcast_address)
        start = max(self._next, low)
        if start + BLOCK - 1 > high:
            raise EyrieError(
                f"private network {self._private}",
                seen=f"{len(self.blocks)} blocks of {BLOCK} addresses, all given",
                wanted=f"one more for subnet {subnet}",
                next_step="a larger private network, in a pool that gets its addresses anew (--new)",
            )
        self.blocks.append(Block(subnet, start))
        self._starts.setdefault(subnet, []).append(start)
        self._next = start + BLOCK


def _with_gateways(blocks: Sequence[Block], gateways: Sequence[str]) -> list[Block]:
    """Each block keeps its gateway; where that is none any more, the one with the fewest gets it."""
    load = Counter(dict.fromkeys(sorted(gateways), 0))
    load.update(block.gateway for block in blocks if block.gateway in load)
    result = []
    for block in blocks:
        if block.gateway not in load and load:
            least = min(load, key=lambda name: (load[name], name))
            load[least] += 1
            result.append(replace(block, gateway=least))
        else:
            result.append(block)
    return result


def _site_name(wanted: Wanted, host: Host) -> str:
    site = wanted.site_of(host.address)
    assert site is not None  # refused before
    return site.name


def _refuse_another_network(wanted: Wanted, state: State) -> None:
    if wanted.private != state.private:
        raise EyrieError(
            "private network",
            seen=str(wanted.private),
            wanted=f"{state.private}, of which addresses were given for ever",
            next_step="keep it; with --new every host gets another address",
        )
