# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from recordings import facts

from eyrie.errors import EyrieError
from eyrie.nodetable import Numbered, State, parse
from eyrie.openmosix.apply import apply_script
from eyrie.openmosix.change import Step, plan, steady_peers, trusted, wanted

OWN = "10.77.0.1"


@pytest.mark.parametrize(
    "recording, table, step",
    [
        ("idle", "1 10.77.0.1 8\n", Step.NOTHING),
        ("idle", "# the pool\n1 10.77.0.1 8", Step.NOTHING),
        ("idle", "1 10.77.0.1 8\n9 10.77.1.1 4\n", Step.WRITE),
        ("idle", "1 10.77.0.1 254\n", Step.WRITE),
        ("idle", "2 10.77.0.1 8\n", Step.RESTART),
        ("alias", "20 10.77.1.7 3\n1 10.77.0.1 8\n1 192.168.7.1 alias\n", Step.NOTHING),
        ("off", "5 10.77.0.1 8\n", Step.WRITE),
    ],
)
def test_gentlest_step_is_planned(recording: str, table: str, step: Step) -> None:
    assert plan(facts(recording), wanted(table, OWN, "map")) is step


def test_range_that_begins_elsewhere_is_another_mapping() -> None:
    """setpe -w refuses it on a genuine node, though the node's number stays the same."""
    second = replace(facts("idle"), number=2, own_address="10.77.0.2")
    for table, step in (
        ("1 10.77.0.1 1\n2 10.77.0.2 7\n", Step.RESTART),
        ("1 10.77.0.1 2\n", Step.WRITE),
    ):
        assert plan(second, wanted(table, "10.77.0.2", "map")) is step


def test_one_node_changed_by_hand_does_not_speak_against_the_numbers_file() -> None:
    state = State((Numbered("hq", 1, "10.77.0.1", 8),))
    good, odd = parse("1 10.77.0.1 8\n"), parse("3 10.77.0.1 8\n")
    assert trusted({"n1": odd, "n2": good, "n3": good}, state).keys() == {"n2", "n3"}
    assert trusted({"n1": odd, "n2": good}, state).keys() == {"n1", "n2"}
    assert trusted({"n1": odd}, None).keys() == {"n1"}


def test_only_the_file_is_wrong() -> None:
    goal = wanted("1 10.77.0.1 8\n", OWN, "map")
    for broken in (None, "1 10.77.0.1 9\n", "rubbish\n"):
        assert plan(replace(facts("idle"), map_text=broken), goal) is Step.FILE


@pytest.mark.parametrize(
    "table, words",
    [
        ("1 10.77.0.9 8\n", "is not there"),
        ("1 10.77.0.1 8\n5 10.77.5.1 3\n", "map line 2: 5 10.77.5.1 3; map line 1: 1 10.77.0.1 8"),
        ("1 10.77.0.1 8\n20 224.0.0.1 3\n", "map line 2"),
        ("nonsense\n", "map line 1"),
    ],
)
def test_table_is_refused_before_anything_is_written(table: str, words: str) -> None:
    with pytest.raises(EyrieError) as caught:
        wanted(table, OWN, "map")
    assert words in str(caught.value)


def test_node_that_takes_another_address_for_its_own_is_refused() -> None:
    goal = wanted("1 10.77.0.1 8\n", OWN, "map")
    with pytest.raises(EyrieError, match=r"/etc/hosts: found '10\.77\.0\.7'"):
        plan(replace(facts("idle"), own_address="10.77.0.7"), goal)


def test_kernel_without_openmosix_and_node_without_tools_are_refused() -> None:
    goal = wanted("1 10.77.0.1 8\n", OWN, "map")
    with pytest.raises(EyrieError, match="the node's kernel"):
        plan(replace(facts("idle"), openmosix=""), goal)
    with pytest.raises(EyrieError, match="no setpe"):
        plan(replace(facts("idle"), tools=""), goal)


def test_peers_that_keep_their_numbers_have_to_be_up_again() -> None:
    idle = facts("idle")
    assert steady_peers(idle, wanted("1 10.77.0.1 8\n", OWN, "map").table) == {2}
    assert steady_peers(idle, wanted("1 10.77.0.1 1\n5 10.77.0.2 1\n", OWN, "map").table) == set()
    assert steady_peers(facts("off"), wanted("1 10.77.0.1 8\n", OWN, "map").table) == set()


def test_nothing_is_replaced_before_the_nodes_own_setpe_agreed() -> None:
    for step in (Step.WRITE, Step.RESTART, Step.FILE):
        script = apply_script(step, b"1 10.77.0.1 8\n", "")
        assert script.index("setpe -c") < script.index("mv $f.new $f")
        assert script.count("setpe -w") == (step is Step.WRITE)
        assert ("setpe -W" in script) == (step is Step.RESTART)
