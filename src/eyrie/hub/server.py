# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub: TLS connections of desktops on one side, the switch between, the master's tap on the other."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter

from eyrie.hub.link import Link, log
from eyrie.hub.settings import Settings
from eyrie.hub.status import Report, describe
from eyrie.hub.switch import Port, Switch
from eyrie.hub.tap import Tap
from eyrie.hub.tls import server_context

STRANGERS = 256  # connections that have not proven themselves yet
STRANGERS_OF_ONE = 4  # from one address
TICK_SECONDS = 5.0


class Hub:
    """Everything that runs; all of it in one thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.switch = Switch(settings.grants, settings.mtu, settings.flood_per_second)
        self.report = Report(time.time())
        self.strangers: Counter[str] = Counter()
        self._tls = server_context(settings.identity)
        self._links: dict[Port, Link] = {}
        self._tap: Tap | None = None
        self._trunk: Port | None = None
        self._servers: list[asyncio.AbstractServer] = []
        self._ticking: asyncio.Task[None] | None = None
        self.port = settings.port
        self.done = asyncio.Event()  # whoever runs the hub waits for it
        self.trouble = ""

    async def start(self) -> None:
        """Open tap, status socket and port."""
        settings, loop = self.settings, asyncio.get_running_loop()
        if settings.tap:
            self._tap = Tap(settings.tap)
            self._trunk = self.switch.attach_trunk()
            loop.add_reader(self._tap.fileno(), self._from_tap)
        status = await asyncio.start_unix_server(self._tell, settings.status)
        server = await loop.create_server(
            lambda: Link(self, self._tls), settings.address, settings.port, backlog=256
        )
        self.port = int(server.sockets[0].getsockname()[1])
        self._servers = [status, server]
        self._ticking = asyncio.ensure_future(self._tick())
        log(
            f"pool {settings.pool}: hub at {settings.address} port {self.port}, {len(settings.grants)} guests"
        )

    def reload(self, settings: Settings) -> None:
        """Take a new list of guests, revoked certificates and key; who is no longer welcome goes at once."""
        self._tls = server_context(settings.identity)
        self.settings = settings
        for port in self.switch.regrant(settings.grants):
            self._links[port].end("no longer in the list as it was")
        for link in self.links():
            if link.serial in settings.revoked:
                link.end("its certificate was revoked")
        log(f"configuration read again: {len(settings.grants)} guests")

    async def stop(self) -> None:
        """End everything."""
        for server in self._servers:
            server.close()
        if self._ticking is not None:
            self._ticking.cancel()
        for link in self.links():
            link.end("the hub stops")
        if self._tap is not None:
            asyncio.get_running_loop().remove_reader(self._tap.fileno())
            self._tap.close()
        await asyncio.sleep(0)

    def links(self) -> list[Link]:
        """Return the connections of those who were admitted."""
        return list(self._links.values())

    def crowded(self, peer: str) -> str:
        """Return why nobody more from an address may try just now."""
        if self.strangers[peer] >= STRANGERS_OF_ONE:
            return "too many at once from one address"
        if self.strangers.total() >= STRANGERS:
            return "too many at once"
        if not self.strangers[peer]:
            del self.strangers[peer]
        return ""

    def admit(self, link: Link, name: str) -> tuple[Port | None, str]:
        """Return the port of a desktop whose certificate holds, or why it gets none."""
        if link.serial in self.settings.revoked:
            return None, "certificate revoked"
        port = self.switch.attach(name)
        if port is None:
            return None, "not in this hub's list"
        for old, other in list(self._links.items()):
            if old.name == name:
                other.end("replaced by a newer connection of the same desktop")
        self._links[port] = link
        self.report.admitted += 1
        return port, ""

    def leave(self, port: Port) -> None:
        """Forget a link and its port."""
        self._links.pop(port, None)
        self.switch.detach(port)

    def forward(self, port: Port, frames: list[bytes]) -> None:
        """Switch frames and send them on."""
        self.switch.forward(port, frames, time.monotonic())
        dirty = self.switch.dirty
        while dirty:
            target = dirty.pop()
            if target is self._trunk:
                self._to_tap(target)
            else:
                self._links[target].flush()

    def _from_tap(self) -> None:
        assert self._tap is not None and self._trunk is not None
        try:
            frames = self._tap.read()
        except OSError as error:
            asyncio.get_running_loop().remove_reader(self._tap.fileno())
            self.trouble = f"tap {self.settings.tap} is gone ({error})"
            self.done.set()
        else:
            self.forward(self._trunk, frames)

    def _to_tap(self, trunk: Port) -> None:
        assert self._tap is not None
        for _ in range(self._tap.write(trunk.take())):
            trunk.counters.drop("tap")

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for link in self.links():
                link.look(time.monotonic(), time.time())

    async def _tell(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers = {port.name: link.peer for port, link in self._links.items()}
        with contextlib.suppress(OSError):
            writer.write(describe(self.settings.pool, self.switch, self.report, peers))
            await writer.drain()
        writer.close()
