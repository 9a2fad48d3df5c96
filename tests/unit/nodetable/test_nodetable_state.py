# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers file: what is written is read again, and whoever edits it is found out."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.nodetable import Entry, Numbered, State, render
from eyrie.nodetable.state import dump, load, write
from eyrie.nodetable.table import dotted

STATE = State(
    (Numbered("office", 1, "10.77.0.1", 254), Numbered("null", 255, "10.78.0.1", 2, retired=True)),
    (Entry(1, "10.99.0.1", 0, alias=True), Entry(255, "10.99.0.2", 0, alias=True)),
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "openmosix-numbers.yml"
    write(path, STATE)
    assert load(path.read_bytes(), str(path)) == STATE
    assert load(dump(State())) == State()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_retired_range_and_its_aliases_are_in_no_table() -> None:
    assert render(STATE.table) == "1 10.77.0.1 254\n1 10.99.0.1 alias\n"
    assert STATE.next_number == 257


def test_layout_and_comments_may_change() -> None:
    assert load("# ours\n" + dump(STATE).replace(": ", ":   ").replace("count:   ", "count: ")) == STATE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("first: 1,", "first: 2,"),
        ("count: 254", "count: 253"),
        ("10.77.0.1", "10.77.0.2"),
        ('"office"', '"ofice"'),
        (", retired: true", ""),
        ("retired: true", "retired: 1"),
        ("10.99.0.1", "10.99.0.3"),
        ("checksum: ", "checksum: 0"),
        ("checksum: ", "check: "),
        ("format: 1", "format: 2"),
        ("first: 1,", "first: [1],"),
        ("first: 1,", ""),
        ("first: 1,", "first: one,"),
        ("count: 254", "count: null"),
        ("10.77.0.1", "10.77.0"),
        ("ranges:", "ranges: 5 #"),
        ("aliases:", "aliases: {} #"),
        ("format: 1", "format: 1\nextra: 2"),
    ],
)
def test_an_edited_file_is_refused(old: str, new: str) -> None:
    text = dump(STATE)
    assert old in text
    with pytest.raises(EyrieError, match=r"^numbers\.yml"):
        load(text.replace(old, new, 1), "numbers.yml")


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"5", b"{", b"\0", b"\xff\xfe\xfd", b"a: &a [*a]", b"!!python/name:os.system x"]
)
def test_what_is_no_numbers_file_is_refused(text: bytes) -> None:
    with pytest.raises(EyrieError, match=r"^numbers\.yml"):
        load(text, "numbers.yml")


@given(st.integers(0, 400), st.binary(max_size=4))
def test_a_damaged_file_never_gives_other_numbers(place: int, junk: bytes) -> None:
    text = dump(STATE).encode()
    start = text.index(b"format")
    damaged = text[: start + place] + junk + text[start + place + len(junk) :]
    with suppress(EyrieError):
        assert load(damaged).ranges == STATE.ranges


names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)


@given(st.lists(st.tuples(names, st.integers(1, 9), st.booleans()), max_size=5))
def test_any_names_are_kept(given_ranges: list[tuple[str, int, bool]]) -> None:
    number = 1
    ranges = []
    for name, count, retired in given_ranges:
        ranges.append(Numbered(name, number, dotted(0x0A000000 + number), count, retired))
        number += count
    state = State(tuple(ranges))
    assert load(dump(state)) == state


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "numbers.yml"
    write(path, STATE)
    monkeypatch.setattr("eyrie.committed.os.fsync", lambda _: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write(path, State())
    assert load(path.read_bytes()) == STATE
    assert len(list(tmp_path.iterdir())) == 1
