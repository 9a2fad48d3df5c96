# SPDX-License-Identifier: GPL-3.0-or-later
"""The QMP client against a scripted far end, and against a real QEMU without a system in it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from eyrie.guests.backend import GuestError
from eyrie.guests.qmp import LONGEST_LINE, QmpClient

GREETING = {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 22}}, "capabilities": []}}


@pytest.fixture
def ends() -> Iterator[tuple[QmpClient, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield QmpClient(near), far


def say(far: socket.socket, *answers: object) -> None:
    far.sendall(b"".join(json.dumps(answer).encode() + b"\r\n" for answer in answers))


def test_handshake_returns_the_version(ends: tuple[QmpClient, socket.socket]) -> None:
    client, far = ends
    say(far, GREETING, {"return": {}})
    assert client.handshake(1) == (7, 2, 22)
    assert json.loads(far.recv(1000)) == {"execute": "qmp_capabilities", "arguments": {}}


def test_events_are_read_past(ends: tuple[QmpClient, socket.socket]) -> None:
    client, far = ends
    say(far, {"event": "STOP"}, {"event": "RESUME"}, {"return": 5})
    assert client.execute("query-status", 1) == 5


def test_answers_in_pieces(ends: tuple[QmpClient, socket.socket]) -> None:
    client, far = ends

    def dribble() -> None:
        for byte in b'{"return": {}}\r\n':
            time.sleep(0.005)
            far.send(bytes([byte]))

    thread = threading.Thread(target=dribble)
    thread.start()
    assert client.execute("stop", 2) == {}
    thread.join()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"error": {"class": "GenericError", "desc": "no way"}}\n', "no way"),
        (b"certainly\n", "one JSON object"),
        (b"[1]\n", "one JSON object"),
        (b"x" * (LONGEST_LINE + 70000), "<= "),
    ],
    ids=["error", "not JSON", "not an object", "endless"],
)
def test_bad_answers_are_told(ends: tuple[QmpClient, socket.socket], answer: bytes, words: str) -> None:
    client, far = ends
    sender = threading.Thread(target=far.sendall, args=(answer,))
    sender.start()
    with pytest.raises(GuestError, match=words):
        client.execute("stop", 5)
    client.close()
    far.close()
    sender.join()


def test_a_greeting_without_a_version_is_told(ends: tuple[QmpClient, socket.socket]) -> None:
    client, far = ends
    say(far, {"hello": 1})
    with pytest.raises(GuestError, match="greeting"):
        client.handshake(1)


def test_silence_ends_in_time(ends: tuple[QmpClient, socket.socket]) -> None:
    client, _far = ends
    began = time.monotonic()
    with pytest.raises(GuestError, match="silence"):
        client.execute("stop", 0.2)
    assert 0.15 <= time.monotonic() - began < 1


def test_chatter_does_not_extend_the_wait(ends: tuple[QmpClient, socket.socket]) -> None:
    client, far = ends
    stop = threading.Event()

    def chatter() -> None:
        while not stop.wait(0.05):
            say(far, {"event": "RTC_CHANGE"})

    thread = threading.Thread(target=chatter)
    thread.start()
    began = time.monotonic()
    with pytest.raises(GuestError, match="silence"):
        client.execute("stop", 0.3)
    assert time.monotonic() - began < 1
    stop.set()
    thread.join()


def test_a_closed_socket_is_told(ends: tuple[QmpClient, socket.socket]) -> None:
    client, far = ends
    far.close()
    with pytest.raises(GuestError, match="live QEMU"):
        client.execute("stop", 1)


@pytest.mark.integration
def test_real_qemu_stops_and_goes_on() -> None:
    assert shutil.which("qemu-system-x86_64"), "this test needs qemu-system-x86_64"
    near, far = socket.socketpair()
    command = ["qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none"]
    command += ["-chardev", f"socket,id=qmp,fd={far.fileno()}", "-mon", "chardev=qmp,mode=control"]
    with near, subprocess.Popen(command, pass_fds=[far.fileno()]) as process:
        far.close()
        client = QmpClient(near)
        assert client.handshake(10) >= (5, 0, 0)
        client.execute("stop", 5)
        assert client.execute("query-status", 5)["running"] is False
        client.execute("cont", 5)
        assert client.execute("query-status", 5)["running"] is True
        with pytest.raises(GuestError, match="no-such-command"):
            client.execute("no-such-command", 5)
        client.execute("quit", 5)
        assert process.wait(10) == 0
