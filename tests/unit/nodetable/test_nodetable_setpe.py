# SPDX-License-Identifier: GPL-3.0-or-later
"""Our judgement is the genuine setpe's: recorded answers, and what names and bytes may do."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodetable_corpus import PICKED, Record, load
from nodetable_maps import cases, differences

import eyrie.nodetable
from eyrie.errors import EyrieError
from eyrie.nodetable import judge, parse, render
from eyrie.nodetable.names import hosts_lookup

RECORDS = load()
NAMES = hosts_lookup(
    {
        "nodea": "10.77.0.1",
        "Node-B.lan": "10.77.0.2",
        "0x0a.1": "10.77.0.3",
        "08.1": "10.77.0.4",
        "5.": "10.77.0.5",
        "a:1": "10.77.0.6",
    }
)


def test_the_example_in_the_package_is_right() -> None:
    assert doctest.testmod(eyrie.nodetable).failed == 0


def test_every_message_of_setpe_is_on_record() -> None:
    answers = b"".join(record.stderr for record in RECORDS)
    for words in (
        *(
            b"not there!",
            b"node number < 1",
            b"'node-#0'",
            b"negative number",
            b"larger thanthe maximum",
            b"(max=65534)",
        ),
        *(
            b"conflicting IP",
            b"conflicting OpenMosix",
            b"Wrap!",
            b"not included",
            b"between a range and an alias",
        ),
        *(
            b"2 or more aliases",
            b"Bad Table Input",
            b"Unknown host",
            b"is empty",
            b"Table Overflow",
            b"I'm not there",
        ),
    ):
        assert words in answers
    assert len(RECORDS) > 300
    assert len({(record.data, record.own) for record in RECORDS}) > 300


def test_judge_says_what_the_genuine_setpe_said() -> None:
    wrong = []
    for record in RECORDS:
        verdict = judge(record.data, record.own)
        if (verdict.status, verdict.message) != (record.status, record.stderr):
            wrong.append((record, verdict))
        assert verdict.accepted == (verdict.status == 0)
    assert wrong == []


def test_picked_maps_are_on_record() -> None:
    assert [(record.data, record.own) for record in RECORDS[: len(PICKED)]] == list(PICKED)


def test_reasons_begin_with_the_genuine_message_and_name_the_file() -> None:
    for record in RECORDS:
        if record.status:
            _check_reason(record)


def _check_reason(record: Record) -> None:
    verdict = judge(record.data, record.own, "a.map")
    words = record.stderr.removeprefix(b"setpe: ").split(b"\n")[0]
    if words.isascii() and words.decode().isprintable():
        assert verdict.reason.startswith(words.decode())
    assert verdict.reason.isprintable()
    if b"empty" not in words and b"well-formatted" not in words:
        assert f"a.map line {verdict.line}" in verdict.reason
        assert verdict.value is not None
        assert verdict.value in verdict.reason


@pytest.mark.parametrize(
    ("text", "own", "reason"),
    [
        (
            "1 10.77.0.1 5\n\n3 10.77.1.1 2\n",
            None,
            "Table contains conflicting OpenMosix addresses! "
            "(m line 3: 3 10.77.1.1 2; m line 1: 1 10.77.0.1 5)",
        ),
        (
            "# my map\n1 10.77.0.1\n",
            None,
            "Bad Table Input: <1 10.77.0.1> "
            "(m line 2: 1 10.77.0.1; wanted NUMBER ADDRESS COUNT, or NUMBER ADDRESS alias)",
        ),
        (
            "1 node-a 1\n",
            None,
            "node-a: Unknown host (m line 1: node-a; names are looked up only with --hosts or --resolve)",
        ),
        (
            "1 10.77.0.1 5\n",
            "10.77.0.9",
            "the supplied table is well-formatted, but my IP address (10.77.0.9) is not there! "
            "(m; no range holds it; an alias does not count)",
        ),
        ("", None, "the table is empty. (m)"),
    ],
)
def test_reasons_read_well(text: str, own: str | None, reason: str) -> None:
    assert judge(text.encode(), own, "m").reason == reason


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("nodea", "10.77.0.1"),
        ("NODEA", "10.77.0.1"),
        ("node-b.LAN", "10.77.0.2"),
        ("0x0a.1", "10.77.0.3"),  # gethostbyname knows it, so inet_addr is not asked
        ("08.1", None),  # digits and dots are never looked up
        ("5.", "10.77.0.5"),  # but not with a dot at the end
        ("a:1", None),  # nor is what looks like IPv6
        ("nodec", None),
    ],
)
def test_names_are_found_as_in_the_hosts_file_of_a_node(name: str, own: str | None) -> None:
    data = f"1 {name} 1\n".encode()
    assert judge(data, own, lookup=NAMES).accepted == (own is not None)
    if own:
        assert parse(data, lookup=NAMES).address_of(1) == own


@pytest.mark.parametrize("own", ["10.77.0", "", "node-a", "10.77.0.256", "0x0a.1", "::1", "é"])
def test_an_own_address_that_is_none_is_refused(own: str) -> None:
    with pytest.raises(EyrieError, match="own address"):
        judge(b"1 10.77.0.1 5\n", own)


@given(st.binary(max_size=1200), st.sampled_from([None, "10.77.0.1"]))
def test_any_bytes_are_judged(data: bytes, own: str | None) -> None:
    _judged(data, own)


def test_odd_maps_are_judged() -> None:
    for data, own in cases(300, seed=5):
        _judged(data, own)


def _judged(data: bytes, own: str | None) -> None:
    """Never anything but an answer, printable, and parse of one mind with judge."""
    verdict = judge(data, own)
    assert verdict.reason.isprintable()
    assert verdict.accepted != bool(verdict.reason)
    if judge(data).accepted:
        table = parse(data)
        assert parse(render(table)) == table
    else:
        with pytest.raises(EyrieError):
            parse(data)


def test_differences_are_found() -> None:
    def kind(data: bytes, own: str | int) -> tuple[int, bytes]:
        verdict = judge(data, own if isinstance(own, str) else None)
        return verdict.status, verdict.message

    def kinder(data: bytes, own: str | int) -> tuple[int, bytes]:
        return (0, b"") if b"alias" in data else kind(data, own)

    assert list(differences(kind, 100)) == []
    found = list(differences(kinder, 100))
    assert found
    assert all(each.genuine == (0, b"") and each.ours[0] == 102 for each in found)
