# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever calls the agent's port and is not the QEMU it started is refused, and that is the end of it."""

from __future__ import annotations

import socket
import struct
import time

import pytest

from eyrie.guests.backend import GuestError
from eyrie.guests.windows import connection
from eyrie.guests.windows.connection import Listener, find_owner

QEMU, OTHER = 4712, 666


def row(local: tuple[str, int], remote: tuple[str, int], pid: int) -> bytes:
    """Return MIB_TCPROW_OWNER_PID: ports in network order, each in four bytes."""
    ends = b"".join(
        socket.inet_aton(address) + struct.pack(">H", port) + b"\xaa\xbb"  # Windows leaves rubbish there
        for address, port in (local, remote)
    )
    return struct.pack("<I", 5) + ends + struct.pack("<I", pid)


def table(*rows: bytes) -> bytes:
    return struct.pack("<I", len(rows)) + b"".join(rows) + bytes(100)


HERE, THERE = ("127.0.0.1", 50123), ("127.0.0.1", 50001)


@pytest.mark.parametrize(
    ("rows", "owner"),
    [
        ([row(HERE, THERE, QEMU)], QEMU),
        ([row(THERE, HERE, OTHER), row(HERE, THERE, QEMU)], QEMU),  # both ends are in the table
        ([row(THERE, HERE, OTHER)], None),
        ([row(("10.0.0.1", 50123), THERE, OTHER)], None),
        ([row(("127.0.0.1", 50124), THERE, OTHER)], None),
        ([row(HERE, ("127.0.0.1", 50002), OTHER)], None),
        ([], None),
    ],
    ids=["it", "second", "our own end", "other address", "other port", "elsewhere", "empty"],
)
def test_the_owner_of_the_far_end(rows: list[bytes], owner: int | None) -> None:
    assert find_owner(table(*rows), HERE, THERE) == owner


def test_a_row_beyond_the_count_is_rubbish() -> None:
    text = struct.pack("<I", 1) + row(THERE, HERE, OTHER) + row(HERE, THERE, QEMU)
    assert find_owner(text, HERE, THERE) is None


def call(listener: Listener, owner: int, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    """Connect, and have Windows' table say that `owner` did."""
    caller = socket.create_connection(("127.0.0.1", listener.port))
    mine = row(caller.getsockname(), ("127.0.0.1", listener.port), owner)
    monkeypatch.setattr(connection, "_tcp_table", lambda: table(mine))
    return caller


def test_qemu_is_let_in_and_nobody_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener()
    with call(listener, QEMU, monkeypatch) as caller:
        with listener.accept(QEMU, time.monotonic() + 5, lambda: False) as ours:
            caller.sendall(b"x")
            assert ours.recv(1) == b"x"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", listener.port))


@pytest.mark.parametrize(("owner", "words"), [(OTHER, "process 666"), (0, "a process that is gone")])
def test_anybody_else_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, owner: int, words: str) -> None:
    listener = Listener()
    monkeypatch.setattr(connection, "OWNER_SECONDS", 0.2)
    with call(listener, owner, monkeypatch) as caller:
        with pytest.raises(GuestError, match=f"{words}.*QEMU, process 4712"):
            listener.accept(QEMU, time.monotonic() + 5, lambda: False)
        assert caller.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", listener.port))


@pytest.mark.parametrize("ended", [True, False])
def test_no_call_ends_in_time(ended: bool) -> None:
    listener = Listener()
    began = time.monotonic()
    with pytest.raises(GuestError, match="no connection"):
        listener.accept(QEMU, time.monotonic() + 0.3, lambda: ended)
    assert time.monotonic() - began < 2
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", listener.port))
