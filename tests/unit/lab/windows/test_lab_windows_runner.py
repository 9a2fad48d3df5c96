# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner against a broker played by the test: streams, flow control, and a desktop that goes away."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from eyrie.errors import EyrieError
from eyrie.lab.windows.programs import wire
from eyrie.lab.windows.runner import LOST, NO_DIRECTORY, BrokerRunner, ask
from eyrie.lab.wsman.runner import Order, Process, Stream


class Sink:
    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes]] = []
        self.code: int | None = None
        self.over = threading.Event()

    def output(self, stream: Stream, data: bytes) -> None:
        self.seen.append((stream, data))

    def ended(self, code: int) -> None:
        assert not self.over.is_set(), "ended twice"
        self.code = code
        self.over.set()


def start(
    order: Order, answer: dict[str, object] | None = None
) -> tuple[Process, Sink, wire.Channel, dict[str, object]]:
    """Start a command; return the broker's end of its channel and the order it got."""
    ours, brokers = socket.socketpair()
    channel, sink, got = wire.Channel(brokers), Sink(), {}

    def broker() -> None:
        got.update(channel.read_order())
        channel.say(answer or {"pid": 5})

    thread = threading.Thread(target=broker)
    thread.start()
    process = BrokerRunner("s", lambda: ours).start(order, sink)
    thread.join()
    return process, sink, channel, got


def test_the_order_arrives_whole() -> None:
    *_, channel, got = start(Order("exit 3", "C:\\x", {"A": "ü"}, 65001, skip_cmd=True))
    assert got == {
        "secret": "s",
        "order": "run",
        "line": "exit 3",
        "directory": "C:\\x",
        "environment": {"A": "ü"},
        "codepage": 65001,
        "skip_cmd": True,
    }
    channel.close()


def test_output_and_exit_code() -> None:
    _, sink, channel, _ = start(Order("x"))
    channel.send(b"O", b"\0\xff")
    channel.send(b"R", b"err")
    channel.send(b"X", wire.number(0xC000013A))
    assert sink.over.wait(5)
    assert (sink.seen, sink.code) == ([("stdout", b"\0\xff"), ("stderr", b"err")], 0xC000013A)


def test_a_desktop_that_goes_away_ends_its_commands() -> None:
    process, sink, channel, _ = start(Order("x"))
    channel.close()
    assert sink.over.wait(5)
    assert sink.code == LOST
    with pytest.raises(BrokenPipeError):
        process.write(b"x", 1)
    process.kill()


def test_no_more_input_is_on_its_way_than_the_window() -> None:
    process, _, channel, _ = start(Order("x"))
    data = b"x" * (wire.WINDOW + 1000)
    assert process.write(data, 0.05) == wire.WINDOW
    assert process.write(b"y", 0.05) == 0
    assert channel.read() == (b"I", data[: wire.WINDOW])
    channel.send(b"A", wire.number(wire.WINDOW))
    assert process.write(data[wire.WINDOW :], 5) == 1000
    assert channel.read() == (b"I", b"x" * 1000)
    channel.close()


def test_who_reads_no_more_is_named() -> None:
    process, sink, channel, _ = start(Order("x"))
    channel.send(b"B")
    with pytest.raises(BrokenPipeError):
        for _ in range(200):  # the frame has to arrive first
            process.write(b"x", 0.05)
            time.sleep(0.02)
    assert not sink.over.is_set()
    channel.close()


@pytest.mark.parametrize(
    ("act", "kind"),
    [(Process.close_input, b"E"), (Process.interrupt, b"C"), (Process.kill, b"K")],
)
def test_signals(act: Callable[[Process], None], kind: bytes) -> None:
    process, _, channel, _ = start(Order("x"))
    getattr(process, act.__name__)()
    assert channel.read() == (kind, b"")
    channel.close()


def test_what_cannot_start_says_why() -> None:
    process, sink, _, _ = start(Order("x"), {"error": "[WinError 267] no such directory"})
    assert sink.seen == [("stderr", b"[WinError 267] no such directory\r\n")]
    assert sink.code == NO_DIRECTORY
    with pytest.raises(BrokenPipeError):
        process.write(b"x", 1)


def test_a_wrong_secret_is_named() -> None:
    ours, brokers = socket.socketpair()
    wire.Channel(brokers).say({"error": "wrong secret"})
    with pytest.raises(EyrieError, match="wrong secret"):
        ask(ours, "x", "status")
