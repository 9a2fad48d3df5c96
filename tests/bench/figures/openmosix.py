# SPDX-License-Identifier: GPL-3.0-or-later
"""openMosix nodes: comparing a pool of 1,000, asking an unchanged node; see openmosix_drain for the rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from eyrie.nodetable import Entry, Table, render
from eyrie.nodetable.table import dotted, numeric
from eyrie.openmosix import boot
from eyrie.openmosix.change import Step, plan, wanted
from eyrie.openmosix.consistency import Member, compare
from eyrie.openmosix.facts import NodeFacts
from eyrie.openmosix.read import parse
from tests.bench.figure import Figure

RECORDING = Path(__file__).parents[2] / "unit/openmosix/data/ready.txt"
NODES, RUNS = 1000, 5
CONSISTENCY = "openMosix: comparison of 1,000 nodes"
TRIPS = "openMosix: round trips of an unchanged converge, a node"
CONSISTENCY_NOTE = (
    "In process, from what the nodes' tasks registered (a genuine node's answer, numbered anew) to the"
    " findings; a table of 256 ranges, a million pairs."
)
TRIPS_NOTE = "One to read, one to prove; table and boot are planned from what the first one told."


def measure(say: Callable[[str], None]) -> list[Figure]:
    """What needs no node."""
    say("openMosix: comparison")
    return [
        Figure(CONSISTENCY, 2, "s", tuple(_comparisons()), "max", CONSISTENCY_NOTE),
        Figure(TRIPS, 2, "", (float(unchanged_round_trips()),), "max", TRIPS_NOTE),
    ]


def _comparisons() -> list[float]:
    table, registered = _pool()
    taken = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        members = [Member(name, address, NodeFacts.from_dict(values)) for name, address, values in registered]
        report = compare(members, table)
        taken.append(time.perf_counter() - begin)
        if report.findings or report.compared != NODES:
            raise ValueError(f"found {report.findings[:3]} in a pool that agrees")
    return taken


def _pool() -> tuple[Table, list[tuple[str, str, dict[str, Any]]]]:
    """A pool of 256 small subnets, and what a task registered for each of its nodes."""
    starts = [numeric("10.0.0.1") + 256 * number for number in range(256)]
    table = Table(tuple(Entry(1 + 4 * at, dotted(start), 4) for at, start in enumerate(starts)))
    one = parse(RECORDING.read_text(encoding="utf-8"))
    up = frozenset(range(1, NODES + 1))
    registered = []
    for number in range(1, NODES + 1):
        node = replace(one, number=number, table=table, map_text=render(table), up=up, peers=())
        registered.append((f"n{number}", table.address_of(number) or "", node.as_dict()))
    return table, registered


def unchanged_round_trips() -> int:
    """Count as the role goes: read, plan table and boot from that, prove."""
    node = parse(RECORDING.read_text(encoding="utf-8"))
    goal = wanted("1 10.77.0.1 8\n", "10.77.0.2", "map")
    unchanged = plan(node, goal) is Step.NOTHING and not boot.plan(
        node, boot.wanted(["10.77.0.0/24"], True, None)
    )
    return 2 if unchanged else 3
