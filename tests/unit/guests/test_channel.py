# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a guest says, in whatever pieces, becomes messages; nothing it says can do harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.guests.backend import Message
from eyrie.guests.channel import LONGEST_LINE, LineParser, parse_line, vacate_line

KNOWN = {
    b"hello 1": Message("hello", ("1",)),
    b"state booting": Message("state", ("booting",)),
    b"state engine-starting": Message("state", ("engine-starting",)),
    b"state joined\r": Message("state", ("joined",)),
    b"refused token expired at 2026-01-01T00:00:00Z": Message(
        "refused", ("token", "expired", "at", "2026-01-01T00:00:00Z")
    ),
    b"jobs 2": Message("jobs", ("2",)),
}
UNKNOWN = [
    b"",
    b" ",
    b"hello",
    b"hello 2",
    b"state",
    b"state flying",
    b"state joined now",
    b"refused",
    b"refused entry",
    b"jobs",
    b"jobs -1",
    b"jobs two",
    b"jobs 12345678",
    b"jobs \xb2",
    b"state join\xc3\xa9d",
    b"hello 1\x00",
    b"state joined\x1b[2J",
    b"state joined " + b"x" * LONGEST_LINE,
]


@pytest.mark.parametrize(("line", "message"), KNOWN.items(), ids=repr)
def test_known_lines(line: bytes, message: Message) -> None:
    assert parse_line(line) == message


@pytest.mark.parametrize("line", UNKNOWN, ids=repr)
def test_everything_else_is_invalid_and_printable(line: bytes) -> None:
    message = parse_line(line)
    assert message.kind == "invalid"
    assert message.words[0].isascii()
    assert len(message.words[0]) <= 400


@given(st.binary(max_size=3000), st.lists(st.integers(1, 700), max_size=20))
def test_cutting_the_stream_changes_nothing(data: bytes, cuts: list[int]) -> None:
    whole = LineParser().feed(data + b"\n")
    parser, pieces, rest = LineParser(), [], data + b"\n"
    for cut in cuts:
        pieces += parser.feed(rest[:cut])
        rest = rest[cut:]
    pieces += parser.feed(rest)
    assert [message.kind for message in pieces] == [message.kind for message in whole]
    assert [each for each in pieces if each.kind != "invalid"] == [
        each for each in whole if each.kind != "invalid"
    ]


@given(st.lists(st.binary(max_size=2000), max_size=30))
def test_memory_is_bounded(chunks: list[bytes]) -> None:
    parser = LineParser()
    for chunk in chunks:
        assert len(parser.feed(chunk)) <= 1001
        assert len(parser._buffer) <= LONGEST_LINE


def test_an_endless_line_is_one_invalid_message_and_the_next_line_counts() -> None:
    parser = LineParser()
    messages = [message for _ in range(100) for message in parser.feed(b"x" * 1000)]
    messages += parser.feed(b"\nstate joined\n")
    assert [message.kind for message in messages] == ["invalid", "state"]


def test_a_flood_loses_its_own_words() -> None:
    assert len(LineParser().feed(b"jobs 1\n" * 5000)) == 1000


def test_what_the_agent_asks() -> None:
    assert vacate_line(5) == b"vacate 5\n"
