# SPDX-License-Identifier: GPL-3.0-or-later
"""One desktop's connection to the hub, from the moment its certificate was found good."""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from typing import TYPE_CHECKING, cast

from eyrie.hub.frames import HEARTBEAT, FrameError, Splitter, join
from eyrie.hub.greeting import REFUSED, WELCOME
from eyrie.hub.switch import Port
from eyrie.hub.tls import common_name

if TYPE_CHECKING:
    from eyrie.hub.server import Hub

SILENCE_SECONDS = 30.0  # a desktop's carrier says something every 5
WRITE_BUFFER = 256 * 1024


class Link(asyncio.Protocol):
    """One desktop's connection, after its handshake."""

    port: Port
    serial = -1

    def __init__(self, hub: Hub, peer: str) -> None:
        self._hub = hub
        self.peer = peer
        self._splitter = Splitter()
        self._transport: asyncio.Transport | None = None
        self._admitted = False
        self._full = False
        self._heard = time.monotonic()
        self._expires = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or tell it why not."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER)
        certificate = transport.get_extra_info("peercert")
        self.serial = int(certificate["serialNumber"], 16)
        self._expires = ssl.cert_time_to_seconds(certificate["notAfter"])
        name = common_name(certificate)
        port, reason = self._hub.admit(self, certificate)
        if port is None:
            self._hub.report.refuse(reason)
            log(f"{name or 'a certificate without a name'} from {self.peer} refused: {reason}")
            self._transport.write(REFUSED % reason.encode("ascii"))
            self._transport.close()
            return
        self.port, self._admitted = port, True
        self._transport.write(WELCOME)
        self._hub.report.admitted += 1
        log(f"{name} joined from {self.peer}")

    def data_received(self, data: bytes) -> None:
        """Switch what came."""
        if not self._admitted:
            return
        self._heard = time.monotonic()
        try:
            frames = self._splitter.feed(data)
        except FrameError as error:
            self.end(str(error))
            return
        if frames:
            self._hub.forward(self.port, frames)

    def flush(self) -> None:
        """Send what the switch has queued; for a desktop that is behind it waits, and the excess is lost."""
        if not self._full and self._transport is not None:
            frames = self.port.take()
            if frames:
                self._transport.write(join(frames))

    def pause_writing(self) -> None:
        """The desktop reads slower than others write to it."""
        self._full = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._full = False
        self.flush()

    def look(self, now: float, today: float) -> None:
        """Give a sign of life; end a connection that gives none, or whose certificate has run out."""
        if now - self._heard > SILENCE_SECONDS:
            self.end(f"silent for {SILENCE_SECONDS:g} s")
        elif today >= self._expires:
            self.end("its certificate has expired")
        elif self._transport is not None and not self._full:
            self._transport.write(HEARTBEAT)

    def end(self, reason: str) -> None:
        """Cut the connection."""
        if self._admitted:
            self._admitted = False
            self._hub.leave(self.port)
            log(f"{self.port.name} left: {reason}")
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the desktop went by itself."""
        self.end(str(exc) if exc else "it closed the connection")


def log(text: str) -> None:
    """Tell the journal."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - systemd keeps what a service prints
