# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from recordings import facts, pool

from eyrie.nodetable import Entry, Table, parse
from eyrie.openmosix.consistency import Member, compare
from eyrie.openmosix.facts import NodeFacts

TABLE = parse("1 10.77.0.1 8\n")


def members(nodes: dict[str, NodeFacts | None]) -> list[Member]:
    return [Member(name, f"10.77.0.{name[1:]}", each) for name, each in nodes.items()]


def found(nodes: dict[str, Any], table: Table = TABLE, **options: Any) -> list[str]:
    return [str(each) for each in compare(members(nodes), table, **options).findings]


def test_nodes_that_agree() -> None:
    assert found(pool(4)) == []
    report = compare(members({**pool(3), "n4": None}), TABLE)
    assert (report.findings, report.unreachable, report.compared) == ((), ("n4",), 3)


def test_genuine_recordings_agree() -> None:
    assert found({"n1": facts("home"), "n2": facts("host")}) == []


@pytest.mark.parametrize(
    "change, words",
    [
        ({"release": "2.4.20"}, "kernel release of n3: found '2.4.20', the other 3 have '2.4.26-om'"),
        ({"build": "#1"}, "kernel build of n3: found '#1'"),
        ({"openmosix": "openMosix Version 1.8"}, "openMosix version of n3"),
        ({"tools": ""}, "tools version of n3: found 'none'"),
        ({"daemons": ("tyd",)}, "autodiscovery of n3: tyd runs"),
        ({"number": 0}, "openMosix of n3: it is off"),
        ({"map_text": None}, "/etc/openmosix.map of n3: there is none"),
        ({"map_text": "1 10.77.0.1 8\nx\n"}, "/etc/openmosix.map of n3: Bad Table Input"),
        (
            {"map_text": "# by hand\n1 10.77.0.1 7\n"},
            "/etc/openmosix.map of n3: line 2: found '1 10.77.0.1 7', wanted '1 10.77.0.1 8'",
        ),
        (
            {"table": Table((Entry(1, "10.77.0.1", 7),))},
            "running node table of n3: line 1: found '1 10.77.0.1 7', wanted '1 10.77.0.1 8'",
        ),
        (
            {"table": Table((Entry(1, "10.77.0.1", 8), Entry(9, "10.9.9.9", 1)))},
            "running node table of n3: line 2: found '9 10.9.9.9 1', wanted no such line",
        ),
        ({"up": frozenset({2, 3, 4})}, "status of n1: down, as seen by n3"),
    ],
)
def test_who_differs_is_named(change: dict[str, Any], words: str) -> None:
    nodes = pool(4)
    nodes["n3"] = replace(nodes["n3"], **change)
    assert any(each.startswith(words) for each in found(nodes)), found(nodes)


def test_missing_line_is_named() -> None:
    wanted = parse("1 10.77.0.1 8\n9 10.77.1.1 4\n")
    assert "running node table of n1, n2: missing is '9 10.77.1.1 4'" in found(pool(2), wanted)


def test_number_used_twice() -> None:
    nodes = pool(3)
    nodes["n3"] = replace(nodes["n3"], number=2)
    assert found(nodes)[:2] == [
        "own number of n3: found 2, wanted 3",
        "own number of n2, n3: all of them are node 2",
    ]


def test_node_that_nobody_sees_comes_first_and_only_once() -> None:
    nodes = {name: replace(node, up=node.up - {5}) for name, node in pool(8).items()}
    nodes["n5"] = replace(nodes["n5"], up=frozenset({5}))
    assert found(nodes)[0] == "status of n5: down, as seen by n1, n2, n3, n4, n6 and 2 more"


def test_autodiscovery_may_be_asked_for() -> None:
    nodes = {name: replace(node, daemons=("omdiscd",)) for name, node in pool(2).items()}
    assert found(nodes, autodiscovery=True) == []
    assert len(found(nodes)) == 1


def test_what_autodiscovery_finds_is_held_against_the_table() -> None:
    nodes = {name: replace(node, daemons=("omdiscd",)) for name, node in pool(3).items()}
    fewer = Table((Entry(1, "10.77.0.1", 2),))
    nodes["n1"] = replace(nodes["n1"], table=fewer, map_text=None)
    assert found(nodes, autodiscovery=True) == []
    nodes["n2"] = replace(nodes["n2"], table=Table((Entry(267, "10.77.0.2", 1),)))
    nodes["n3"] = replace(nodes["n3"], daemons=())
    assert found(nodes, autodiscovery=True) == [
        "discovered node table of n2: found '267 10.77.0.2 1', which the table does not have",
        "autodiscovery of n3: omdiscd does not run",
    ]
