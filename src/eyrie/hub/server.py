# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub: TLS connections of desktops on one side, the switch between, the master's tap on the other."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import Counter
from typing import cast

from eyrie.hub.link import Link, log
from eyrie.hub.settings import Settings
from eyrie.hub.status import Report, describe
from eyrie.hub.switch import Port, Switch
from eyrie.hub.tap import Tap
from eyrie.hub.tls import common_name, server_context

HANDSHAKE_SECONDS = 5.0
HANDSHAKES = 64  # under way at once
HANDSHAKES_OF_ONE = 4  # from one address
TICK_SECONDS = 5.0


class Hub:
    """Everything that runs; all of it in one thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.switch = Switch(settings.grants, settings.mtu, settings.flood_per_second)
        self.report = Report(time.time())
        self._tls = server_context(settings.identity)
        self._links: dict[Port, Link] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pending: Counter[str] = Counter()
        self._tap: Tap | None = None
        self._trunk: Port | None = None
        self._listener: socket.socket | None = None

    @property
    def port(self) -> int:
        """Return the TCP port, once it is open."""
        assert self._listener is not None
        return int(self._listener.getsockname()[1])

    async def start(self) -> None:
        """Open tap, port and status socket."""
        settings, loop = self.settings, asyncio.get_running_loop()
        if settings.tap:
            self._tap = Tap(settings.tap)
            self._trunk = self.switch.attach_trunk()
            loop.add_reader(self._tap.fileno(), self._from_tap)
        family = socket.AF_INET6 if ":" in settings.address else socket.AF_INET
        self._listener = socket.create_server(
            (settings.address, settings.port), family=family, backlog=256, reuse_port=False
        )
        self._listener.setblocking(False)
        self._run(self._accept())
        self._run(self._tick())
        server = await asyncio.start_unix_server(self._tell, settings.status)
        self._run(server.serve_forever())
        log(
            f"pool {settings.pool}: hub at {settings.address} port {self.port}, {len(settings.grants)} guests"
        )

    def reload(self, settings: Settings) -> None:
        """Take a new list of guests, revoked certificates and key; who is no longer welcome goes at once."""
        self._tls = server_context(settings.identity)
        self.settings = settings
        for port in self.switch.regrant(settings.grants):
            self._links[port].end("no longer in the list as it was")
        for link in list(self._links.values()):
            if link.serial in settings.revoked:
                link.end("its certificate was revoked")
        log(f"configuration read again: {len(settings.grants)} guests")

    async def stop(self) -> None:
        """End everything."""
        for link in list(self._links.values()):
            link.end("the hub stops")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        if self._tap is not None:
            asyncio.get_running_loop().remove_reader(self._tap.fileno())
            self._tap.close()

    def _run(self, work: object) -> None:
        task = asyncio.ensure_future(cast("asyncio.Future[None]", work))
        self._tasks.add(cast("asyncio.Task[None]", task))
        task.add_done_callback(lambda done: self._tasks.discard(cast("asyncio.Task[None]", done)))

    async def _accept(self) -> None:
        assert self._listener is not None
        loop, places = asyncio.get_running_loop(), asyncio.Semaphore(HANDSHAKES)
        while True:
            await places.acquire()
            try:
                connection, peer = await loop.sock_accept(self._listener)
            except OSError as error:  # out of descriptors, or gone before it was taken
                places.release()
                log(f"a connection could not be taken: {error}")
                await asyncio.sleep(0.2)
                continue
            self._run(self._greet(connection, str(peer[0]), places))

    async def _greet(self, connection: socket.socket, peer: str, places: asyncio.Semaphore) -> None:
        """Let a desktop prove itself; this one alone waits for it."""
        self._pending[peer] += 1
        try:
            if self._pending[peer] > HANDSHAKES_OF_ONE:
                self.report.refuse("too many at once from one address")
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Link(self, peer),
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=1.0,
            )
        except (OSError, TimeoutError) as error:
            reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or "no handshake"
            self.report.refuse(str(reason))
            log(f"{peer} refused: {reason}")
            connection.close()
        finally:
            self._pending[peer] -= 1
            if not self._pending[peer]:
                del self._pending[peer]
            places.release()

    def admit(self, link: Link, certificate: dict[str, object]) -> tuple[Port | None, str]:
        """Return the port of a desktop whose certificate holds, or why it gets none."""
        name = common_name(certificate)
        if link.serial in self.settings.revoked:
            return None, "certificate revoked"
        port = self.switch.attach(name)
        if port is None:
            return None, "not in this hub's list"
        for other in [each for each in self._links.values() if each.port.name == name]:
            other.end("replaced by a newer connection of the same desktop")
        self._links[port] = link
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
        self.forward(self._trunk, self._tap.read())

    def _to_tap(self, trunk: Port) -> None:
        assert self._tap is not None
        for _ in range(self._tap.write(trunk.take())):
            trunk.counters.drop("tap")

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for link in list(self._links.values()):
                link.look(time.monotonic(), time.time())

    async def _tell(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(describe(self.settings.pool, self.switch, self.report, self.peers()))
            await writer.drain()
        writer.close()

    def peers(self) -> dict[str, str]:
        """Return from which address each desktop that is connected came."""
        return {port.name: link.peer for port, link in self._links.items()}
