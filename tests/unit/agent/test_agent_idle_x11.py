# SPDX-License-Identifier: GPL-3.0-or-later
"""The X11 source on a real X server (Xvfb), with input by xdotool."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from eyrie.agent.idle import x11_wire as wire
from eyrie.agent.idle.base import Kind, Reading
from eyrie.agent.idle.x11 import SILENCE, X11

pytestmark = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="Xvfb and xdotool are not installed"
)


class Server:
    """An X server that lets in only who has its cookie."""

    def __init__(self, folder: Path) -> None:
        self.auth = folder / "auth"
        self.cookie = secrets.token_bytes(16)
        self.sockets = folder / "sockets"
        self.sockets.mkdir()
        ready, written = os.pipe()
        self.auth.write_bytes(_xauthority(self.cookie))
        words = ["Xvfb", "-displayfd", str(written), "-auth", str(self.auth), "-nolisten", "tcp", "-noreset"]
        self.process = subprocess.Popen(
            words, pass_fds=[written], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(written)
        with os.fdopen(ready) as stream:
            self.number = int(stream.readline())
        # Only this server's socket, so that displays of other people do not disturb.
        self.path = self.sockets / f"X{self.number}"
        self.path.symlink_to(f"/tmp/.X11-unix/X{self.number}")

    def source(self) -> X11:
        return X11(str(self.sockets))

    def use(self) -> None:
        """Move the mouse."""
        environment = {**os.environ, "DISPLAY": f":{self.number}", "XAUTHORITY": str(self.auth)}
        words = ["xdotool", "mousemove_relative", "--", "1", "1"]
        subprocess.run(words, env=environment, check=True, timeout=20)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(10)


def _xauthority(cookie: bytes) -> bytes:
    fields = (b"host", b"", wire.COOKIE, cookie)
    return b"\xff\xff" + b"".join(len(each).to_bytes(2, "big") + each for each in fields)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("x11"))
    yield running
    running.stop()


def settle(source: X11) -> Reading:
    """Return a reading that is newly measured."""
    for _ in range(100):
        reading = source.read(time.monotonic())
        if reading.kind is Kind.IDLE:
            return source.read(time.monotonic())
        time.sleep(0.02)
    raise AssertionError(reading)


def test_idle_time_grows_and_input_ends_it(server: Server) -> None:
    source = server.source()
    server.use()
    time.sleep(0.4)
    rested = settle(source)
    assert 0.35 <= rested.seconds < 5
    server.use()
    used = source.read(time.monotonic())
    assert used.seconds < rested.seconds
    assert used.detail == f"input on display :{server.number}"
    assert source.measured() == {f":{server.number}"}
    source.close()


def test_a_stopped_server_is_unknown_and_holds_nobody_up(server: Server) -> None:
    source = server.source()
    settle(source)
    server.process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(3):
            source.read(time.monotonic())
        assert time.monotonic() - began < 0.3
        late = source.read(time.monotonic() + SILENCE + 1)
        assert late.kind is Kind.UNKNOWN
        assert "does not answer" in late.detail
        fresh = server.source()
        began = time.monotonic()
        assert fresh.read(began).kind is Kind.UNKNOWN
        assert time.monotonic() - began < 1.0
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert settle(source).kind is Kind.IDLE
    source.close()


def test_without_the_cookie_nothing_is_known(server: Server) -> None:
    away = server.auth.rename(server.auth.with_name("away"))
    try:
        reading = server.source().read(time.monotonic())
    finally:
        away.rename(server.auth)
    assert reading.kind is Kind.UNKNOWN


def test_the_cookie_file_of_another_user_is_not_read_for_them(server: Server) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving a file to another user needs root")
    os.chown(server.auth, 65534, 65534)
    try:
        reading = server.source().read(time.monotonic())
    finally:
        os.chown(server.auth, 0, 0)
    assert reading.kind is Kind.UNKNOWN


def test_no_display_is_not_present(tmp_path: Path) -> None:
    assert X11(str(tmp_path)).read(0.0).kind is Kind.ABSENT
    assert X11(str(tmp_path / "none")).read(0.0).kind is Kind.ABSENT


def test_a_server_that_ends_is_gone(tmp_path: Path) -> None:
    server = Server(tmp_path)
    source = server.source()
    settle(source)
    server.stop()
    server.path.unlink()
    assert source.read(time.monotonic()).kind is Kind.ABSENT
    assert source.measured() == frozenset()


def test_a_dead_servers_socket_is_not_a_display(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "X7"))
    assert X11(str(tmp_path)).read(0.0).kind is Kind.ABSENT


@pytest.mark.parametrize("size", range(0, 60, 7))
def test_a_torn_xauthority_loses_no_more_than_its_end(size: int) -> None:
    whole = _xauthority(b"c" * 16)
    entries = wire.parse_xauthority(whole + whole[:size])
    assert entries[0].data == b"c" * 16
    assert len(entries) == (2 if size >= len(whole) else 1)
