# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node needs so that it runs a table: nothing, its file only, `setpe -w`, or a restart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from eyrie.errors import EyrieError
from eyrie.nodetable import strict
from eyrie.nodetable.parse import parse
from eyrie.nodetable.setpe import judge
from eyrie.nodetable.state import State, disagreement
from eyrie.nodetable.table import Entry, Table, digest, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from ipaddress import IPv4Network

    from eyrie.openmosix.facts import NodeFacts


class Step(Enum):
    """From the gentlest to the one that brings every process home."""

    NOTHING = "nothing"
    FILE = "file"
    WRITE = "setpe -w"
    RESTART = "setpe -W"


@dataclass(frozen=True)
class Wanted:
    """A table that the node at `address` can run: judged, and without faults."""

    text: str
    table: Table
    address: str
    number: int


def wanted(text: str, address: str, source: str, networks: Sequence[IPv4Network] = ()) -> Wanted:
    """Judge a table as the node's own setpe would, and more strictly; EyrieError names the line."""
    verdict = judge(text.encode("utf-8", "surrogateescape"), address, source)
    if not verdict.accepted:
        raise EyrieError(f"the table for {address} is refused: {verdict.reason}")
    table = parse(text, source)
    if found := strict.faults(table, networks, source):
        raise EyrieError("; ".join(map(str, found)))
    number = table.number_of(address)
    if number is None:
        raise EyrieError(source, seen=f"no range that holds {address}", wanted="the node's own address")
    return Wanted(text, table, address, number)


def plan(facts: NodeFacts, goal: Wanted) -> Step:
    """Return the gentlest step from what the node has to the goal; EyrieError where there is none."""
    _refuse(facts, goal)
    kernel_right = facts.number == goal.number and _same(facts.table, goal.table)
    if kernel_right:
        return Step.NOTHING if _same(file_table(facts), goal.table) else Step.FILE
    if facts.enabled and _start(facts.table, facts.number) != _start(goal.table, goal.number):
        return Step.RESTART
    # From off as well: `setpe -w` starts openMosix, as there is no own mapping that it could change.
    return Step.WRITE


def trusted(deployed: Mapping[str, Table], state: State | None) -> dict[str, Table]:
    """Return the tables that the numbers file is measured by.

    Where most nodes bear the file out, the others were changed by hand and are put right; else the
    file is wrong, and everybody's table counts.
    """
    if state is None:
        return dict(deployed)
    bearing = {name: table for name, table in deployed.items() if not disagreement(state, {name: table})}
    return bearing if 2 * len(bearing) > len(deployed) else dict(deployed)


def own_range(table: Table | None, number: int) -> Entry | None:
    """Return the range that holds a node."""
    entries = () if table is None else table.ranges
    return next((entry for entry in entries if entry.first <= number <= entry.last), None)


def _start(table: Table | None, number: int) -> tuple[int, str | None, int | None]:
    """Return what `setpe -w` takes for the own mapping: the number, and where the range that holds it begins.

    Seen on 2.4.26-om: it refuses to cut a range anew before a node, though the node's number stays the same.
    """
    own = own_range(table, number)
    return (number, own.address, own.first) if own else (number, None, None)


def _refuse(facts: NodeFacts, goal: Wanted) -> None:
    if not facts.openmosix:
        raise EyrieError(
            "the node's kernel",
            seen=facts.release,
            wanted="one with openMosix (/proc/hpc)",
            next_step="boot the openMosix kernel first",
        )
    if not facts.tools:
        raise EyrieError("the openMosix tools", seen="no setpe", wanted="setpe, mosctl, mosrun, migrate")
    if facts.own_address not in (None, goal.address):
        # It would take the number of somebody else's address.
        raise EyrieError(
            "the address that the node's host name has in its /etc/hosts",
            seen=facts.own_address,
            wanted=f"{goal.address}: setpe takes it for the node's own",
            next_step="correct /etc/hosts on the node",
        )


def file_table(facts: NodeFacts) -> Table | None:
    """Return the table that the map file holds; None for no file, and for one that setpe would refuse."""
    try:
        return None if facts.map_text is None else parse(facts.map_text)
    except EyrieError:
        return None


def running_text(facts: NodeFacts) -> str:
    """Return the table that the kernel runs, as a diff shows it."""
    return "" if facts.table is None else render(facts.table)


def _same(one: Table | None, other: Table) -> bool:
    return one is not None and digest(one) == digest(other)


def steady_peers(facts: NodeFacts, goal: Table) -> frozenset[int]:
    """Return the peers that are up now and keep their numbers: they must be up again afterwards."""
    old = facts.table
    if old is None:
        return frozenset()
    return frozenset(
        number
        for number in facts.up - {facts.number}
        if goal.address_of(number) is not None and goal.address_of(number) == old.address_of(number)
    )
