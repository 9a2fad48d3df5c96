# SPDX-License-Identifier: GPL-3.0-or-later
"""A real hub in a thread, and real carriers with the test in QEMU's place: TLS over loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from eyrie.hub.carrier import Carrier, CarrierStatus, HubLink
from eyrie.hub.frames import Splitter, join
from eyrie.hub.guard import Grant, parse_address, parse_mac
from eyrie.hub.main import ask
from eyrie.hub.server import Hub
from eyrie.hub.settings import Settings
from eyrie.hub.tls import Identity

WAIT = 10.0


def mac(number: int) -> str:
    """Return the MAC address of guest `desk-number`."""
    return f"02:00:00:00:00:{number:02x}"


def grants(count: int) -> tuple[Grant, ...]:
    """Return the list of desk-1, desk-2, ..., whose addresses are 10.88.0.1, ..."""
    return tuple(
        Grant(f"desk-{n}", frozenset({parse_mac(mac(n))}), parse_address(f"10.88.0.{n}"))
        for n in range(1, count + 1)
    )


class RunningHub:
    """A hub in a thread of its own."""

    def __init__(self, folder: Path, identity: Identity, *, count: int = 3, port: int = 0) -> None:
        self.settings = Settings(
            pool="lab",
            address="127.0.0.1",
            port=port,
            identity=identity,
            tap="",
            mtu=1500,
            flood_per_second=1000,
            status=str(folder / "status"),
            revoked=frozenset(),
            grants=grants(count),
        )
        Path(self.settings.status).unlink(missing_ok=True)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._ready.wait(WAIT)
        self.port = self.hub.port

    async def _run(self) -> None:
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        self.hub = Hub(self.settings)
        await self.hub.start()
        self._ready.set()
        await self._done.wait()
        await self.hub.stop()

    def call(self, what: Callable[[], object]) -> None:
        """Have something done in the hub's thread."""
        called = threading.Event()

        def do() -> None:
            what()
            called.set()

        self._loop.call_soon_threadsafe(do)
        assert called.wait(WAIT)

    def state(self) -> dict[str, object]:
        return ask(self.settings.status)

    def refused(self) -> dict[str, int]:
        refused = self.state()["refused"]
        assert isinstance(refused, dict)
        return refused

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(WAIT)


class Guest:
    """A carrier whose QEMU is the test."""

    def __init__(self, identity: Identity, port: int) -> None:
        self.qemu, far = socket.socketpair()
        self.qemu.settimeout(WAIT)
        self._splitter = Splitter()
        self._frames: list[bytes] = []
        self.carrier = Carrier(HubLink("127.0.0.1", port, identity), far)
        self.carrier.start()

    def send(self, *frames: bytes) -> None:
        self.qemu.sendall(join(frames))

    def receive(self) -> bytes:
        """Return the next frame."""
        while not self._frames:
            self._frames = self._splitter.feed(self.qemu.recv(65536))
        return self._frames.pop(0)

    def silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        self.qemu.settimeout(seconds)
        try:
            return not self._frames and not self._splitter.feed(self.qemu.recv(65536))
        except TimeoutError:
            return True
        finally:
            self.qemu.settimeout(WAIT)

    def until(self, state: str, reason: str = "") -> CarrierStatus:
        """Wait for a state."""
        eventually(lambda: self.carrier.status().state == state and reason in self.carrier.status().reason)
        return self.carrier.status()

    def stop(self) -> None:
        self.carrier.stop()
        self.carrier.join(WAIT)
        self.qemu.close()


def eventually(true: Callable[[], bool], seconds: float = WAIT) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@contextlib.contextmanager
def running(hub: RunningHub, *guests: Guest) -> Iterator[None]:
    """Stop all of them in the end."""
    try:
        yield
    finally:
        for each in (*guests, hub):
            each.stop()
