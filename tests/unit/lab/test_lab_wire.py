# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over a lab's wire: written as libpcap's readers expect it; and a router that is a bad one."""

from __future__ import annotations

import io
import socket
import struct

import pytest

from eyrie.errors import EyrieError
from eyrie.lab.capture import record
from eyrie.lab.impair import Impairment, netem, rules


def test_frames_are_written_as_a_capture_file() -> None:
    wire, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    frames = [b"x" * 60, b"y" * 1514]
    with wire, far:
        for frame in frames:
            far.send(frame)
        wire.settimeout(0.01)
        stream, asked = io.BytesIO(), iter((False, False, False, True))
        assert record(wire, stream, lambda: next(asked)) == 2
    data = stream.getvalue()
    # Magic number of nanoseconds, version 2.4, two zeros, longest frame, Ethernet.
    assert struct.unpack("<IHHIIII", data[:24]) == (0xA1B23C4D, 2, 4, 0, 0, 262144, 1)
    at = 24
    for frame in frames:
        seconds, nanoseconds, kept, length = struct.unpack("<IIII", data[at : at + 16])
        assert seconds > 1_700_000_000
        assert nanoseconds < 10**9
        assert kept == length == len(frame)
        assert data[at + 16 : at + 16 + kept] == frame
        at += 16 + kept
    assert at == len(data)


def test_rules_replace_those_of_before_and_an_empty_list_leaves_none() -> None:
    assert rules([]) == "table inet eyrie_impair\ndelete table inet eyrie_impair\n"
    text = rules(["ipip", "udp/51820"])
    assert text.startswith(rules([]))
    assert "    ip protocol 4 counter drop\n    udp dport 51820 counter drop\n" in text


@pytest.mark.parametrize("drop", ["everything", "udp/0", "udp/70000", "udp/ 53", "sctp/1", ""])
def test_what_cannot_be_dropped_is_named(drop: str) -> None:
    with pytest.raises(EyrieError, match=r"drop: found .* wanted one of ipip"):
        rules([drop])


def test_netem_gets_words_only_for_what_is_wanted() -> None:
    assert netem(Impairment(("esp",))) == ""
    assert netem(Impairment(delay_ms=20, loss_percent=0.5, reorder_percent=25)) == (
        "delay 20ms loss 0.5% reorder 25%"
    )


@pytest.mark.parametrize(
    "wanted", [{"delay_ms": -1}, {"loss_percent": 101}, {"reorder_percent": 5}, {"delay_ms": 20000}]
)
def test_a_router_that_cannot_be_is_refused(wanted: dict[str, float]) -> None:
    with pytest.raises(EyrieError):
        Impairment(**wanted)  # type: ignore[arg-type]
