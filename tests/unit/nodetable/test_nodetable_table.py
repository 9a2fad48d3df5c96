# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as values: what they hold, their text, what lies between two of them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.nodetable import Entry, Table, compress, diff, digest, parse, render, unified
from eyrie.nodetable.strict import faults
from eyrie.nodetable.table import dotted

POOL = "1 10.77.0.1 3\n10 10.78.0.1 2\n1 10.99.0.1 alias\n"


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Sound tables: ranges beside one another, in any order, with aliases elsewhere."""
    number, address = 1, 0x0A000001
    entries = []
    for _ in range(draw(st.integers(1, 6))):
        number += draw(st.integers(0, 3))
        address += draw(st.integers(0, 3))
        count = draw(st.integers(1, 5))
        entries.append(Entry(number, dotted(address), count))
        number, address = number + count, address + count
    aliases = [
        Entry(draw(st.sampled_from(entries)).first, dotted(0x0B000001 + place), 0, alias=True)
        for place in range(draw(st.integers(0, 2)))
    ]
    return Table(tuple(draw(st.permutations(entries + aliases))))


def mapping(table: Table) -> dict[int, str]:
    return {number: str(address) for number, address in table.nodes()}


def test_a_table_knows_its_nodes() -> None:
    table = parse(POOL)
    assert list(table.nodes())[:2] == [(1, IPv4Address("10.77.0.1")), (2, IPv4Address("10.77.0.2"))]
    assert list(table.numbers()) == [1, 2, 3, 10, 11]
    assert table.size == 5
    assert [str(entry) for entry in table.aliases] == ["1 10.99.0.1 alias"]
    assert (table.number_of("10.77.0.3"), table.number_of(IPv4Address("10.78.0.2"))) == (3, 11)
    assert [table.number_of(each) for each in ("10.77.0.0", "10.77.0.4", "10.99.0.1", "10.78.0.3")] == [
        None
    ] * 4
    assert [table.address_of(each) for each in (1, 11, 0, 4, 12)] == [
        "10.77.0.1",
        "10.78.0.2",
        None,
        None,
        None,
    ]
    assert [entry.line for entry in table.entries] == [1, 2, 3]
    assert Table().number_of("10.77.0.1") is None


def test_parse_names_file_line_and_value() -> None:
    with pytest.raises(EyrieError, match=r"^Bad Table Input: <1 10.77.0.1> \(a.map line 2: 1 10.77.0.1; "):
        parse("\n1 10.77.0.1\n", "a.map")
    with pytest.raises(EyrieError, match="the table is empty"):
        parse("")


def test_count_0_is_written_as_the_alias_it_is() -> None:
    assert render(parse("1 10.77.0.1 3\n2 10.99.0.1 0\n")) == "1 10.77.0.1 3\n2 10.99.0.1 alias\n"


@given(tables())
def test_what_is_rendered_is_parsed_again(table: Table) -> None:
    assert parse(render(table)) == table
    assert digest(parse(render(table))) == digest(table)
    assert render(table).isascii()


@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_change_the_digest(table: Table, chance: object) -> None:
    entries = list(table.entries)
    chance.shuffle(entries)  # type: ignore[attr-defined]
    assert digest(Table(tuple(entries))) == digest(table)


def test_another_count_changes_the_digest() -> None:
    assert digest(parse(POOL)) != digest(parse(POOL.replace("0.1 3", "0.1 4")))


@given(tables())
def test_compress_keeps_every_node_in_the_fewest_ranges(table: Table) -> None:
    small = compress(mapping(table))
    assert mapping(small) == mapping(table)
    for one, other in zip(small.ranges, small.ranges[1:], strict=False):
        assert (one.last + 1, one.start + one.count) != (other.first, other.start)


def test_compress_refuses_what_no_table_can_hold() -> None:
    with pytest.raises(EyrieError, match="257 ranges"):
        compress({number: dotted(0x0A000000 + 2 * number) for number in range(1, 258)})
    assert len(compress({number: dotted(0x0A000000 + 2 * number) for number in range(1, 257)}).entries) == 256
    with pytest.raises(EyrieError, match="node 1 and node 2"):
        compress({1: "10.77.0.1", 2: "10.77.0.1"})
    with pytest.raises(EyrieError, match="65535"):
        compress({65535: "10.77.0.1"})


@given(tables())
def test_nothing_lies_between_a_table_and_itself(table: Table) -> None:
    change = diff(table, table)
    assert not change
    assert change.appends_only
    assert (change.restart_count, unified(table, table)) == (0, "")


def beginnings(table: Table) -> dict[str, tuple[int, str]]:
    """Where the own range of every address begins."""
    return {
        dotted(entry.start + offset): (entry.first, entry.address)
        for entry in table.ranges
        for offset in range(entry.count)
    }


@given(tables(), tables())
def test_exactly_the_addresses_with_another_mapping_restart(old: Table, new: Table) -> None:
    change = diff(old, new)
    before, after = beginnings(old), beginnings(new)
    moved = {each for each in before.keys() & after.keys() if before[each] != after[each]}
    assert set(change.restart_set()) == moved
    assert change.restart_count == len(moved)
    assert (change.left, change.come) == (
        len(before.keys() - after.keys()),
        len(after.keys() - before.keys()),
    )
    for address in before:
        span = change.restarts_at(address)
        assert (span is not None) == (address in moved)
        if span:
            assert (span.old, span.new) == (old.number_of(address), new.number_of(address))
    if change.appends_only:
        assert mapping(old).items() <= mapping(new).items()
        assert min(mapping(new).keys() - mapping(old).keys(), default=10**9) > max(mapping(old), default=0)


@pytest.mark.parametrize(
    ("new", "restarts", "appends"),
    [
        ("1 10.77.0.1 3\n10 10.78.0.1 2\n1 10.99.0.1 alias\n12 10.79.0.1 5\n", 0, True),
        # The same numbers, cut in two: `setpe -w` refuses that on the two nodes whose range begins elsewhere.
        ("1 10.77.0.1 1\n2 10.77.0.2 2\n10 10.78.0.1 2\n1 10.99.0.1 alias\n", 2, False),
        ("1 10.77.0.1 4\n10 10.78.0.1 2\n1 10.99.0.1 alias\n", 0, False),  # number 4 is below 11
        ("1 10.77.0.1 3\n10 10.78.0.1 2\n", 0, False),  # the alias is gone
        ("1 10.77.0.1 3\n1 10.99.0.1 alias\n", 0, False),
        ("2 10.77.0.1 3\n10 10.78.0.1 2\n2 10.99.0.1 alias\n", 3, False),
        ("1 10.77.0.2 3\n10 10.78.0.1 2\n1 10.99.0.1 alias\n", 2, False),
    ],
)
def test_what_a_change_of_the_table_does(new: str, restarts: int, appends: bool) -> None:
    change = diff(parse(POOL), parse(new))
    assert (change.restart_count, change.appends_only) == (restarts, appends)


NETWORKS = (IPv4Network("10.77.0.0/24"), IPv4Network("10.80.0.0/16"))


@pytest.mark.parametrize(
    ("text", "networks", "words"),
    [
        ("1 10.77.0.1 254\n", (), None),
        ("1 10.77.0.1 254\n1 10.80.9.9 alias\n", NETWORKS, None),
        ("1 10.80.0.200 100\n", NETWORKS, None),  # .255 and .0 are hosts in a /16
        ("1 10.80.0.200 100\n", (), "found '10.80.0.255'"),
        ("1 10.77.0.0 5\n", (), "found '10.77.0.0'"),
        ("1 10.77.0.0 5\n", NETWORKS, "network address of 10.77.0.0/24"),
        ("1 10.77.0.250 6\n", NETWORKS, "broadcast address of 10.77.0.0/24"),
        ("1 10.77.0.250 7\n", NETWORKS, "found '10.77.1.0', wanted addresses inside one of"),
        (
            "1 10.77.0.1 5\n1 10.81.0.1 alias\n",
            NETWORKS,
            "line 2: alias 1 10.81.0.1 alias: found '10.81.0.1'",
        ),
        ("1 10.77.0.1 5\n1 10.81.0.1 alias\n", (), None),
        ("1 10.81.0.1 5\n", NETWORKS, "range 1 10.81.0.1 5: found '10.81.0.1'"),
        ("1 0.0.0.0 5\n", (), "0.0.0.0, which is no address"),
        ("1 0.0.0.1 5\n", (), "0.0.0.0/8"),
        ("1 223.255.255.250 9\n", (), "found '224.0.0.0'"),
        ("1 224.0.0.1 5\n", (), "multicast"),
        ("1 127.0.0.1 5\n", (), "loopback"),
        ("1 250.0.0.1 5\n", (), "240.0.0.0/4"),
        ("1 10.77.0.1 5\n1 127.0.0.1 alias\n", (), "loopback"),
        ("1 10.77.1 5\n", (), "address: found '10.77.1'"),
        ("1 10.77.0.01 5\n", (), "address: found '10.77.0.01'"),
        ("1 10.77.0.257 5\n", (), "address: found '10.77.0.257'"),
        ("1 0x0100004d 5\n", (), "address: found '0x0100004d'"),
        ("1 10. 77. 0. 1 5\n", (), "address: found '10.'"),
        ("1 10.77.0.1 5\n1 10.88.0.1 0\n", (), "line 2: COUNT: found 0"),
    ],
)
def test_strict_refuses_what_cannot_work(
    text: str, networks: tuple[IPv4Network, ...], words: str | None
) -> None:
    found = faults(parse(text), networks)
    assert [fault.line for fault in found] == [fault.line for fault in found if fault.line]
    if words is None:
        assert found == []
    else:
        assert any(words in str(fault) for fault in found), found
