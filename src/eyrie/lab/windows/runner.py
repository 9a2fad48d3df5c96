# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint's runner: hands each command to the broker on the desktop's Windows side."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from eyrie.errors import EyrieError
from eyrie.lab.windows.programs import wire
from eyrie.lab.wsman.runner import Order, Process, Sink, Stream

LOST = 0x40010004
"""DBG_TERMINATE_PROCESS: what Windows itself gives to processes that its shutdown ends."""

NO_DIRECTORY = 267  # ERROR_DIRECTORY
_STREAMS: dict[bytes, Stream] = {b"O": "stdout", b"R": "stderr"}


class BrokerRunner:
    """Runs commands by Wine's cmd.exe."""

    name = "cmd.exe of Wine, on a Windows desktop of Eyrie's lab"

    def __init__(self, secret: str, connect: Callable[[], socket.socket]) -> None:
        self._secret = secret
        self._connect = connect

    def start(self, order: Order, sink: Sink) -> Process:
        """Start a command and report to `sink`."""
        channel = wire.Channel(self._connect())
        answer = _ask(
            channel,
            self._secret,
            "run",
            line=order.line,
            directory=order.directory,
            environment=dict(order.environment),
            codepage=order.codepage,
            skip_cmd=order.skip_cmd,
        )
        if "error" in answer:
            channel.close()
            sink.output("stderr", f"{answer['error']}\r\n".encode())
            sink.ended(NO_DIRECTORY)
            return _Refused()
        return _Command(channel, sink)


def ask(connection: socket.socket, secret: str, order: str) -> dict[str, Any]:
    """Give the broker an order that is answered at once; OSError: there is no broker (any more)."""
    channel = wire.Channel(connection)
    try:
        answer = _ask(channel, secret, order)
    finally:
        channel.close()
    if not answer:
        raise ConnectionResetError("the desktop hung up")
    if "boot_id" not in answer:
        raise EyrieError(
            "the lab's broker on a Windows desktop", seen=answer.get("error", answer), wanted="an answer"
        )
    return answer


def _ask(channel: wire.Channel, secret: str, order: str, **more: object) -> dict[str, Any]:
    channel.say({"secret": secret, "order": order, **more})
    return channel.read_order()


class _Refused:
    def write(self, _data: bytes, _timeout: float) -> int:
        raise BrokenPipeError("it was never started")

    def close_input(self) -> None:
        pass

    interrupt = kill = close_input


class _Command:
    def __init__(self, channel: wire.Channel, sink: Sink) -> None:
        self._channel = channel
        self._sink = sink
        self._changed = threading.Condition()
        self._on_the_way = 0
        self._reads = True
        threading.Thread(target=self._follow, name="wsman-broker", daemon=True).start()

    def write(self, data: bytes, timeout: float) -> int:
        end, sent = time.monotonic() + timeout, 0
        while sent < len(data):
            with self._changed:
                left = max(0.0, end - time.monotonic())
                self._changed.wait_for(lambda: self._on_the_way < wire.WINDOW or not self._reads, left)
                if not self._reads:
                    raise BrokenPipeError("standard input is closed")
                room = wire.WINDOW - self._on_the_way
                if room <= 0:
                    break
                part = data[sent : sent + room]
                self._on_the_way += len(part)
            self._say(b"I", part)
            sent += len(part)
        return sent

    def close_input(self) -> None:
        self._say(b"E")

    def interrupt(self) -> None:
        self._say(b"C")

    def kill(self) -> None:
        self._say(b"K")

    def _say(self, kind: bytes, data: bytes = b"") -> None:
        try:
            self._channel.send(kind, data)
        except OSError:
            self._reads_no_more()

    def _follow(self) -> None:
        code = LOST
        while (frame := _next(self._channel)) is not None:
            kind, data = frame
            if kind in _STREAMS:
                self._sink.output(_STREAMS[kind], data)
            elif kind == b"A":
                with self._changed:
                    self._on_the_way -= wire.as_number(data)
                    self._changed.notify_all()
            elif kind == b"B":
                self._reads_no_more()
            elif kind == b"X":
                code = wire.as_number(data)
                break
        self._reads_no_more()
        self._channel.close()
        self._sink.ended(code)

    def _reads_no_more(self) -> None:
        with self._changed:
            self._reads = False
            self._changed.notify_all()


def _next(channel: wire.Channel) -> tuple[bytes, bytes] | None:
    try:
        return channel.read()
    except (OSError, ValueError):
        return None
