# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses file: what is written is read again, and whoever edits it is found out."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.networks.state import Block, Given, State, dump, load, write

NETWORK = IPv4Network("10.88.0.0/16")
STATE = State(
    NETWORK,
    (Block("null", 0x0A580000, "master"), Block("east", 0x0A580100)),
    (Given("desk-1", 0x0A580015), Given("yes", 0x0A580016, retired=True), Given("yes", 0x0A580115)),
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "pool-addresses.yml"
    write(path, STATE)
    assert load(path.read_bytes()) == STATE
    assert load(dump(State(NETWORK))) == State(NETWORK)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_an_address_that_is_retired_is_nobodys() -> None:
    gone = Given("gone", 0x0A580117, retired=True)
    assert State(NETWORK, STATE.blocks, (*STATE.given, gone)).addresses == STATE.addresses
    assert STATE.addresses == {"desk-1": 0x0A580015, "yes": 0x0A580115}


@pytest.mark.parametrize(
    "given",
    [
        (Given("a", 0x0A580015), Given("b", 0x0A580015)),
        (Given("a", 0x0A580015), Given("a", 0x0A580016)),
        (Given("a", 0x0A580915),),
    ],
    ids=["an address twice", "a host twice", "an address of no block"],
)
def test_what_the_planner_never_writes_is_refused_with_any_checksum(given: tuple[Given, ...]) -> None:
    with pytest.raises(EyrieError, match="checksum"):
        load(dump(State(NETWORK, STATE.blocks, given)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("10.88.0.21", "10.88.0.23"),
        ("10.88.0.21", "10.88.0.22"),
        ("10.88.0.21", "10.88.7.21"),
        ('"desk-1"', '"desk-2"'),
        (", retired: true", ""),
        ('"master"', '"other"'),
        ("private: 10.88", "private: 10.89"),
        ("private: 10.88.0.0/16", "private: 10.88"),
        ("format: 1", "format: 2"),
        ("checksum: ", "checksum: 0"),
        ("checksum: ", "check: "),
        ("blocks:", "blocks: 5 #"),
        ("host: ", "hast: "),
    ],
)
def test_every_edit_is_found_out(old: str, new: str) -> None:
    text = dump(STATE)
    assert old in text
    with pytest.raises(EyrieError, match="pool-addresses"):
        load(text.replace(old, new, 1))


@given(st.integers(0, len(dump(STATE))), st.text(max_size=3))
def test_whatever_is_typed_into_it_is_refused_or_means_the_same(place: int, typed: str) -> None:
    text = dump(STATE)
    with suppress(EyrieError):
        assert load(text[:place] + typed + text[place:]) == STATE
