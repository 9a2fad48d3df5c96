# SPDX-License-Identifier: GPL-3.0-or-later
"""From subnets, hosts and the numbers given so far to the node table, and what it does to the pool.

A subnet is one range and keeps its numbers for ever. Addresses that nobody has yet have theirs already, so
that a PC added later changes no table. New subnets are appended. Numbers of one that left stay its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from eyrie.errors import EyrieError
from eyrie.nodetable.diff import TableDiff, diff
from eyrie.nodetable.setpe import judge
from eyrie.nodetable.state import RESTORE, Numbered, State, disagreement
from eyrie.nodetable.subnets import Subnet, check_hosts
from eyrie.nodetable.table import MAX_ENTRIES, MAX_NUMBER, Table, dotted, render


@dataclass(frozen=True)
class Effect:
    """What putting the table on every host would do."""

    diff: TableDiff
    restarts: tuple[str, ...] = ()  # hosts whose own mapping changes

    @property
    def summary(self) -> str:
        """In a few words: no change, append only, no restart, restart of N nodes."""
        if self.restarts:
            return f"restart of {len(self.restarts)} node{'s' if len(self.restarts) > 1 else ''}"
        if not self.diff:
            return "no change"
        if self.diff.appends_only:
            return "append only"
        counts = ((len(self.diff.added), "added"), (len(self.diff.removed), "removed"))
        return "no restart: " + ", ".join(f"{count} {word}" for count, word in counts if count)


@dataclass(frozen=True)
class NumberPlan:
    """The table that every node is to have, the numbers to keep, and the effect."""

    table: Table
    state: State
    effect: Effect
    notes: tuple[str, ...] = ()


def plan(
    subnets: Sequence[Subnet],
    hosts: Mapping[str, str],
    state: State | None,
    *,
    deployed: Mapping[str, Table] | None = None,
    new: bool = False,
) -> NumberPlan:
    """Number the subnets; `deployed` are tables found on hosts, `new` begins anew whatever they say."""
    found = {host: table for host, table in (deployed or {}).items() if table.entries}
    _refuse_loss(state, found, new)
    check_hosts(hosts, subnets)
    given, notes = _given(State() if state is None or new else state, subnets)
    table = given.table
    _refuse_too_much(table)
    if not (verdict := judge(render(table).encode("ascii"))).accepted and table.entries:
        raise EyrieError("the planned table", seen=verdict.reason, wanted="one that setpe takes")
    before = state.table if state else next(iter(found.values()), Table())
    effect = Effect(diff(before, table), tuple(_restarts(hosts, before, found, table)))
    return NumberPlan(table, given, effect, notes)


def _refuse_loss(state: State | None, found: Mapping[str, Table], new: bool) -> None:
    """Numbers that hosts carry must not be given anew because the file with them is lost or an old one."""
    if new:
        return
    if state is not None:
        if error := disagreement(state, found):
            raise error
    elif found:
        raise EyrieError(
            "numbers file",
            seen=f"none, but {len(found)} hosts carry a node table, such as {next(iter(found))}",
            wanted="the numbers that were given",
            next_step=f"{RESTORE}; with --new the pool is numbered anew, and every node restarts",
        )


def _given(state: State, subnets: Sequence[Subnet]) -> tuple[State, tuple[str, ...]]:
    """The numbers of every subnet, those given before first; what is no longer wanted is retired."""
    wanted = {subnet.name for subnet in subnets}
    recorded = {each.subnet: each for each in state.ranges}
    orphans = {(each.entry.start, each.count): each for each in state.ranges if each.subnet not in wanted}
    kept: dict[int, Numbered] = {}  # by number, as the same range under its present name
    appended: list[Subnet] = []
    notes: list[str] = []
    for subnet in subnets:
        before = recorded.get(subnet.name) or orphans.get((subnet.first, subnet.count))
        if before is None:
            appended.append(subnet)
            continue
        _refuse_outgrown(subnet, before)
        kept[before.first] = replace(before, subnet=subnet.name, retired=False)
        if before.subnet != subnet.name:
            notes.append(f"subnet {before.subnet} is now called {subnet.name}")
    ranges = [kept.get(each.first) or replace(each, retired=True) for each in state.ranges]
    number = state.next_number
    for subnet in appended:
        _refuse_taken(subnet, ranges)
        ranges.append(Numbered(subnet.name, number, dotted(subnet.first), subnet.count))
        number += subnet.count
    retired = [each.subnet for each in ranges if each.retired]
    notes += [f"subnet {name} is retired, its numbers stay its own" for name in retired]
    return State(tuple(ranges), state.aliases), tuple(notes)


def _refuse_outgrown(subnet: Subnet, before: Numbered) -> None:
    """The addresses of a subnet that has numbers may shrink, but never grow or move."""
    if before.entry.start <= subnet.first and subnet.last <= before.end:
        return
    span = f"{before.address}-{dotted(before.end)}"
    moved = subnet.last < before.entry.start or subnet.first > before.end
    raise EyrieError(
        f"subnet {subnet.name}",
        seen=subnet.span,
        wanted=f"addresses of {span}, which have the numbers {before.numbers} for ever",
        next_step="give the new addresses a new name"
        if moved
        else f"keep {span} here (first, last) and add a"
        " subnet with a name of its own for the addresses it outgrew",
    )


def _refuse_taken(subnet: Subnet, ranges: Sequence[Numbered]) -> None:
    """A new subnet must not number an address a second time."""
    for each in ranges:
        if subnet.first <= each.end and each.entry.start <= subnet.last:
            whose = f"{'retired ' if each.retired else ''}subnet {each.subnet}"
            raise EyrieError(
                f"subnet {subnet.name} ({subnet.span})",
                seen=f"overlaps {each.address}-{dotted(each.end)}, the numbers {each.numbers} of {whose}",
                wanted="addresses without a number",
                next_step=f"call it {each.subnet} and keep within its addresses, or stay beside them",
            )


def _refuse_too_much(table: Table) -> None:
    """What the kernel's table cannot hold."""
    if len(table.entries) > MAX_ENTRIES:
        beyond = table.entries[MAX_ENTRIES]
        raise EyrieError(
            "node table",
            seen=f"{len(table.entries)} entries, number {MAX_ENTRIES + 1} is {beyond}",
            wanted=f"at most {MAX_ENTRIES} subnets and aliases",
            next_step="put neighbouring subnets into one, in a pool that is numbered anew",
        )
    for entry in table.ranges:
        if entry.last > MAX_NUMBER:
            raise EyrieError(
                f"node table: {entry}",
                seen=f"node number {entry.last}",
                wanted=f"at most {MAX_NUMBER}",
                next_step="give first and last to subnets that have few nodes; numbers given once stay given",
            )


def _restarts(hosts: Mapping[str, str], before: Table, found: Mapping[str, Table], table: Table) -> list[str]:
    """Hosts that have a place, by their own table if it is known, and get another."""
    change = diff(before, table)
    if not found and not change.restarts:
        return []
    if not hosts:  # then every address may be a node
        return list(change.restart_set())
    names = []
    for name, address in hosts.items():
        old, new = found.get(name, before).range_of(address), table.range_of(address)
        if old and (new is None or (old.first, old.start) != (new.first, new.start)):
            names.append(name)
    return names
