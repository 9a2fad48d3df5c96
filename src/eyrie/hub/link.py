# SPDX-License-Identifier: GPL-3.0-or-later
"""One desktop's connection to the hub. It does its TLS itself: asyncio's tells nobody why he is refused."""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from typing import TYPE_CHECKING, Any, cast

from eyrie.hub.frames import HEARTBEAT, FrameError, Splitter, join
from eyrie.hub.greeting import REFUSED, WELCOME
from eyrie.hub.switch import Port
from eyrie.hub.tls import common_name

if TYPE_CHECKING:
    from eyrie.hub.server import Hub

HANDSHAKE_SECONDS = 5.0
SILENCE_SECONDS = 30.0  # a desktop's carrier says something every 5
WRITE_BUFFER = 256 * 1024
_READ = 256 * 1024


class Link(asyncio.Protocol):
    """First a stranger; after its handshake, and if the hub admits it, a port of the switch."""

    def __init__(self, hub: Hub, context: ssl.SSLContext) -> None:
        self.peer = ""
        self.serial = -1
        self.port: Port | None = None
        self._hub = hub
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._splitter = Splitter()
        self._shaking = self._full = False
        self._heard = self._expires = 0.0
        self._transport: asyncio.Transport
        self._deadline: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give a stranger a moment to prove itself, if there are not too many of them."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self.peer = str(transport.get_extra_info("peername")[0])
        self._deadline = asyncio.get_running_loop().call_later(HANDSHAKE_SECONDS, self._too_late)
        crowded = self._hub.crowded(self.peer)
        if crowded:
            self._refuse(crowded)
        else:
            self._shaking = True
            self._hub.strangers[self.peer] += 1

    def data_received(self, data: bytes) -> None:
        """Go on with the handshake, or switch what came."""
        self._in.write(data)
        if self._shaking:
            self._shake_hands()
        if self.port is not None:
            self._heard = time.monotonic()
            self._receive(self.port)

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send()
        except ssl.SSLError as error:
            self._send()  # with the alert that tells the other side
            self._refuse(getattr(error, "verify_message", "") or error.reason or "no handshake")
        else:
            self._send()
            self._no_stranger()
            self._enter(cast("dict[str, Any]", self._tls.getpeercert()))

    def _enter(self, certificate: dict[str, Any]) -> None:
        self.serial = int(certificate["serialNumber"], 16)
        self._expires = ssl.cert_time_to_seconds(certificate["notAfter"])
        self._heard = time.monotonic()
        name = common_name(certificate)
        port, reason = self._hub.admit(self, name)
        if port is None:
            self._send(REFUSED % reason.encode("ascii"))
            self._refuse(reason, name)
            return
        self.port = port
        self._send(WELCOME)
        log(f"{name} joined from {self.peer}")

    def _receive(self, port: Port) -> None:
        try:
            frames = self._splitter.feed(self._decrypt())
        except (FrameError, ssl.SSLError) as error:
            self.end(str(error))
            return
        if frames:
            self._hub.forward(port, frames)

    def _decrypt(self) -> bytes:
        parts: list[bytes] = []
        while True:
            try:
                part = self._tls.read(_READ)
            except ssl.SSLWantReadError:
                return b"".join(parts)
            if not part:  # the other side has said goodbye; the connection's end follows
                return b"".join(parts)
            parts.append(part)

    def _send(self, data: bytes = b"") -> None:
        if data:
            self._tls.write(data)
        self._transport.write(self._out.read())

    def flush(self) -> None:
        """Send what the switch has queued; for a desktop that is behind it waits, and the excess is lost."""
        if not self._full and self.port is not None:
            frames = self.port.take()
            if frames:
                self._send(join(frames))

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
        elif not self._full:
            self._send(HEARTBEAT)

    def end(self, reason: str) -> None:
        """Cut the connection."""
        self._no_stranger()
        if self.port is not None:
            self._hub.leave(self.port)
            log(f"{self.port.name} left: {reason}")
            self.port = None
        self._transport.abort()

    def _refuse(self, reason: str, name: str = "") -> None:
        self._hub.report.refuse(reason)
        log(f"{name or 'a connection'} from {self.peer} refused: {reason}")
        self._no_stranger()
        self._transport.close()

    def _too_late(self) -> None:
        self._refuse("no handshake in time")
        self._transport.abort()

    def _no_stranger(self) -> None:
        self._deadline.cancel()
        if self._shaking:
            self._shaking = False
            self._hub.strangers[self.peer] -= 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the desktop went by itself."""
        self.end(str(exc) if exc else "it closed the connection")


def log(text: str) -> None:
    """Tell the journal."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - systemd keeps what a service prints
