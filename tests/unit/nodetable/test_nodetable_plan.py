# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers for subnets: stable for ever, appended, and never given again because a file was lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.nodetable import NumberPlan, State, Table, judge, parse, plan, read_subnets, render
from eyrie.nodetable.table import dotted

OFFICE = {"name": "office", "network": "10.77.0.0/24"}
LAB = {"name": "lab", "network": "10.78.0.0/24", "first": "10.78.0.10", "last": "10.78.0.59"}
HOSTS = {"n1": "10.77.0.1", "n2": "10.77.0.2"}


def number(
    subnets: list[dict[str, Any]], hosts: Mapping[str, str] = HOSTS, state: State | None = None, **more: Any
) -> NumberPlan:
    return plan(read_subnets(subnets), hosts, state, **more)


def lines(done: NumberPlan) -> list[str]:
    return render(done.table).splitlines()


def test_each_subnet_is_one_range_with_room_for_all_its_addresses() -> None:
    done = number([OFFICE, LAB])
    assert lines(done) == ["1 10.77.0.1 254", "255 10.78.0.10 50"]
    assert done.effect.summary == "append only"
    assert [(each.subnet, each.first) for each in done.state.ranges] == [("office", 1), ("lab", 255)]


def test_planning_again_changes_nothing() -> None:
    first = number([OFFICE, LAB])
    again = number([OFFICE, LAB], state=first.state)
    assert (again.table, again.state, again.effect.summary) == (first.table, first.state, "no change")
    assert (
        number([LAB, OFFICE], state=first.state).state == first.state
    )  # the order of subnets does not matter


def test_a_pc_in_a_hole_changes_no_table() -> None:
    first = number([OFFICE])
    more = number([OFFICE], {**HOSTS, "n3": "10.77.0.99"}, first.state)
    assert (more.table, more.effect.summary) == (first.table, "no change")


def test_a_new_subnet_is_appended_wherever_it_is_listed() -> None:
    done = number([LAB, OFFICE], state=number([OFFICE]).state)
    assert lines(done) == ["1 10.77.0.1 254", "255 10.78.0.10 50"]
    assert done.effect.summary == "append only"


def test_numbers_of_a_subnet_that_left_are_never_given_again() -> None:
    first = number([OFFICE, LAB])
    left = number([LAB], {}, first.state)
    assert lines(left) == ["255 10.78.0.10 50"]
    assert left.effect.summary == "no restart: 1 removed"
    assert left.notes == ("subnet office is retired, its numbers stay its own",)
    other = number([LAB, {"name": "new", "network": "10.79.0.0/30"}], {}, left.state)
    assert lines(other) == ["255 10.78.0.10 50", "305 10.79.0.1 2"]
    back = number([LAB, OFFICE], {}, left.state)
    assert (back.table, back.effect.summary) == (first.table, "no restart: 1 added")


def test_a_subnet_may_get_another_name() -> None:
    first = number([OFFICE])
    renamed = number([{**OFFICE, "name": "ground floor"}], state=first.state)
    assert (renamed.table, renamed.effect.summary) == (first.table, "no change")
    assert renamed.notes == ("subnet office is now called ground floor",)


def test_a_subnet_that_shrinks_keeps_its_range() -> None:
    first = number([OFFICE])
    smaller = [{**OFFICE, "last": "10.77.0.99"}]
    assert number(smaller, state=first.state).table == first.table
    with pytest.raises(EyrieError, match=r"n3: address: found '10.77.0.100', wanted one of subnet office"):
        number(smaller, {"n3": "10.77.0.100"}, first.state)


def test_numbering_anew_says_how_many_nodes_restart() -> None:
    first = number([OFFICE, LAB])
    hosts = {**HOSTS, "n3": "10.78.0.10"}
    anew = number([LAB, OFFICE], hosts, first.state, new=True)
    assert lines(anew) == ["1 10.78.0.10 50", "51 10.77.0.1 254"]
    assert anew.effect.summary == "restart of 3 nodes"
    assert anew.effect.restarts == ("n1", "n2", "n3")
    assert number([LAB, OFFICE], {}, first.state, new=True).effect.summary == "restart of 304 nodes"
    assert (
        number([LAB, OFFICE], {"n1": "10.77.0.1"}, first.state, new=True).effect.summary
        == "restart of 1 node"
    )


def test_a_lost_numbers_file_is_noticed_by_the_tables_on_hosts() -> None:
    deployed = {"n1": number([LAB, OFFICE]).table, "n2": Table()}
    with pytest.raises(EyrieError, match="1 hosts carry a node table, such as n1"):
        number([OFFICE, LAB], deployed=deployed)
    assert number([OFFICE], deployed={"n2": Table()}).effect.summary == "append only"
    anew = number([OFFICE, LAB], deployed=deployed, new=True)
    assert anew.effect.restarts == ("n1", "n2")
    # A host's own table counts, not what the numbers file says.
    odd = {"n1": parse("7 10.77.0.1 1\n")}
    assert number([OFFICE], state=number([OFFICE]).state, deployed=odd, new=True).effect.restarts == ("n1",)


def test_a_numbers_file_that_is_older_than_a_table_is_noticed() -> None:
    old = number([OFFICE])
    newer = number([OFFICE, LAB], state=old.state)
    with pytest.raises(EyrieError, match=r"table of host n1: found '255 10.78.0.10 50'"):
        number([OFFICE], state=old.state, deployed={"n1": newer.table})
    # A node that has not got the newest table yet is no fault, nor is a range cut in another way.
    assert number([OFFICE, LAB], state=newer.state, deployed={"n1": old.table}).effect.summary == "no change"
    cut = parse("1 10.77.0.1 100\n101 10.77.0.101 154\n")
    assert number([OFFICE, LAB], state=newer.state, deployed={"n1": cut}).table == newer.table
    other = parse("2 10.77.0.1 100\n")
    with pytest.raises(EyrieError, match="another pool's"):
        number([OFFICE, LAB], state=newer.state, deployed={"n1": other})


@pytest.mark.parametrize(
    ("subnets", "hosts", "words"),
    [
        ([OFFICE, OFFICE], {}, "subnet office: found 'two of this name'"),
        ([OFFICE, {"name": "b", "network": "10.77.0.128/25"}], {}, "overlaps subnet office"),
        ([{**OFFICE, "last": "10.77.0.99"}, {**OFFICE, "name": "b", "first": "10.77.0.99"}], {}, "overlaps"),
        ([{"name": "a", "network": "10.77.0.1/24"}], {}, "subnet a: network: found '10.77.0.1/24'"),
        ([{"name": "a", "network": "fd00::/64"}], {}, "subnet a: network"),
        ([{"name": "a"}], {}, "wanted name and network"),
        ([{**OFFICE, "lats": "10.77.0.9"}], {}, "wanted name and network"),
        (["10.77.0.0/24"], {}, "wanted name and network"),
        ([{**OFFICE, "name": 5}], {}, "subnet: name: found 5"),
        (
            [{**OFFICE, "first": "10.77.0.0"}],
            {},
            "first: found '10.77.0.0', wanted an address from 10.77.0.1",
        ),
        ([{**OFFICE, "last": "10.77.0.255"}], {}, "last: found '10.77.0.255'"),
        ([{**OFFICE, "first": "10.77.0.9", "last": "10.77.0.8"}], {}, "last: found '10.77.0.8'"),
        ([{**OFFICE, "last": "here"}], {}, "last: found 'here'"),
        ([OFFICE], {"n": "10.79.0.1"}, "host n: address: found '10.79.0.1', wanted an address of a subnet"),
        ([OFFICE], {"n": "10.77.0.0"}, "not the network address of 10.77.0.0/24"),
        ([OFFICE], {"n": "10.77.0.255"}, "not the broadcast address of 10.77.0.0/24"),
        ([LAB], {"n": "10.78.0.9"}, "wanted one of subnet lab: 10.78.0.10-10.78.0.59"),
        ([OFFICE], {"n": "n.example"}, "host n: address: found 'n.example'"),
        ([OFFICE], {"n": "10.77.0.5", "m": "10.77.0.5"}, "host n and host m"),
        ([{"name": "a", "network": "10.0.0.0/15"}], {}, "found 'node number 131070', wanted at most 65534"),
        ([], {"n": "10.77.0.5"}, "none is given"),
    ],
)
def test_bad_input_is_refused(subnets: list[Any], hosts: dict[str, str], words: str) -> None:
    with pytest.raises(EyrieError) as refused:
        number(subnets, hosts)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("subnets", "words"),
    [
        (
            [{**OFFICE, "network": "10.77.0.0/23"}],
            "10.77.0.1-10.77.0.254, which have the numbers 1-254 for ever",
        ),
        ([{**OFFICE, "network": "10.99.0.0/24"}], "give the new addresses a new name"),
        ([{"name": "b", "network": "10.77.0.0/16"}], "the numbers 1-254 of retired subnet office"),
        ([OFFICE, {"name": "b", "network": "10.77.0.0/31"}], "overlaps subnet b"),
    ],
)
def test_a_subnet_that_outgrew_its_range_is_refused(subnets: list[dict[str, str]], words: str) -> None:
    with pytest.raises(EyrieError) as refused:
        number(subnets, {}, number([OFFICE], {}).state)
    assert words in str(refused.value)


def test_the_257th_entry_is_refused() -> None:
    subnets = [{"name": f"s{place}", "network": f"10.1.{place}.0/30"} for place in range(256)]
    assert len(number(subnets, {}).table.entries) == 256
    state = number(subnets, {}).state
    with pytest.raises(EyrieError, match=r"257 entries, number 257 is 513 10.2.0.1 2"):
        number([*subnets, {"name": "s256", "network": "10.2.0.0/30"}], {}, state)
    # Whoever leaves makes room.
    assert (
        len(number([*subnets[1:], {"name": "s256", "network": "10.2.0.0/30"}], {}, state).table.entries)
        == 256
    )


@st.composite
def growing(draw: st.DrawFn) -> list[list[dict[str, str]]]:
    """Subnets as they are listed year after year: some come, some go, some return, in any order."""
    sizes = draw(st.lists(st.integers(24, 30), min_size=1, max_size=6))
    subnets = [{"name": f"s{place}", "network": f"10.1.{place}.0/{size}"} for place, size in enumerate(sizes)]
    years = draw(st.integers(1, 5))
    return [
        draw(st.lists(st.sampled_from(subnets), unique_by=lambda each: each["name"])) for _ in range(years)
    ]


@given(growing())
def test_an_address_never_changes_its_number(years: list[list[dict[str, str]]]) -> None:
    state: State | None = None
    given_so_far: dict[int, str] = {}
    for subnets in years:
        hosts = {each["name"]: each["network"].replace(".0/", ".1/").split("/")[0] for each in subnets}
        done = number(subnets, hosts, state)
        assert done.effect.restarts == ()
        for value, address in done.table.nodes():
            assert given_so_far.setdefault(value, str(address)) == str(address)
        assert len(set(given_so_far.values())) == len(given_so_far)
        for address in hosts.values():
            assert done.table.number_of(address)
            assert judge(render(done.table).encode(), address).accepted
        assert number(subnets, hosts, done.state).effect.summary == "no change"
        if state and {each.subnet for each in state.ranges if not each.retired} <= {
            s["name"] for s in subnets
        }:
            assert done.effect.diff.restart_count == 0
            assert not done.effect.diff.removed
        state = done.state


def test_the_largest_pool_is_planned() -> None:
    subnets = [{"name": f"s{place}", "network": f"10.1.{place}.0/24"} for place in range(255)]
    subnets.append({"name": "big", "network": "10.2.0.0/16", "first": "10.2.0.1", "last": "10.2.2.252"})
    done = number(subnets, {"last": "10.2.2.252"})
    assert (done.table.size, len(done.table.entries)) == (65534, 256)
    assert done.table.number_of("10.2.2.252") == 65534
    assert done.table.address_of(65534) == dotted(0x0A0202FC)
    with pytest.raises(EyrieError, match="node number 65535"):
        number([*subnets[:-1], {**subnets[-1], "last": "10.2.2.253"}], {})
