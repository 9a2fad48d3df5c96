# SPDX-License-Identifier: GPL-3.0-or-later
"""The desktop's end of the hub: carries the frames of one QEMU to the hub and back, over TLS, until stopped.

A hub that is away ends no guest: its cable is then unplugged, in effect, and plugged in again later.
The desktop needs neither driver nor privilege for it.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from eyrie.hub.frames import HEARTBEAT, FrameError, Splitter, join
from eyrie.hub.greeting import LONGEST as LONGEST_GREETING
from eyrie.hub.greeting import verdict
from eyrie.hub.tls import Identity, client_context
from eyrie.hub.tls_link import HubError, TlsLink

CONNECT_SECONDS = 5.0
HEARTBEAT_SECONDS = 5.0
SILENCE_SECONDS = 30.0  # the hub says something every 5
STEADY_SECONDS = 60.0  # a connection that lasted so long was no failure
BACKOFF_FIRST, BACKOFF_MAX = 1.0, 60.0
_READ = 256 * 1024
_MOST_WAITING = 512 * 1024  # for either side; then the hub's frames are dropped, and QEMU is made to wait


@dataclass(frozen=True)
class HubLink:
    """Where the hub is, and what proves this desktop and the hub to each other."""

    address: str
    port: int
    identity: Identity


@dataclass(frozen=True)
class CarrierStatus:
    """How it goes: `state` is connecting, up, waiting (`reason` says why) or stopped."""

    state: str
    reason: str
    to_hub: int  # frames
    from_hub: int
    lost: int  # frames that found the hub away, or the guest not reading


class Carrier:
    """Runs in a thread of its own; `stop` returns at once."""

    def __init__(self, link: HubLink, qemu: socket.socket) -> None:
        """Take the end of QEMU's connection, which is closed in the end."""
        self._link = link
        self._tls = client_context(link.identity)  # wrong files are told here, before a guest starts
        self._qemu = qemu
        self._qemu.setblocking(False)
        self._stop = threading.Event()
        self._woken, self._waker = socket.socketpair()
        self._state, self._reason = "connecting", ""
        self._to_hub = self._from_hub = self._lost = 0
        # These two outlive the hub's connections: QEMU's stream has only one beginning.
        self._from_qemu, self._to_qemu = Splitter(), bytearray()
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, without waiting for anything."""
        self._stop.set()
        with contextlib.suppress(OSError):
            self._waker.send(b".")

    def join(self, seconds: float) -> None:
        """Wait until it has ended."""
        self._thread.join(seconds)

    def status(self) -> CarrierStatus:
        """Return how it goes."""
        return CarrierStatus(self._state, self._reason, self._to_hub, self._from_hub, self._lost)

    def _run(self) -> None:
        try:
            self._keep_connected()
        except (OSError, FrameError) as error:  # QEMU is gone, or talks nonsense: nothing left to carry
            self._reason = f"QEMU: {error}"
        finally:
            self._state = "stopped"
            for each in (self._qemu, self._woken, self._waker):
                each.close()

    def _keep_connected(self) -> None:
        pause = BACKOFF_FIRST
        while not self._stop.is_set():
            self._state = "connecting"
            try:
                hub = self._connect()
            except HubError as error:
                self._state, self._reason = "waiting", str(error)
            else:
                self._state, self._reason = "up", ""
                began = time.monotonic()
                try:
                    self._pump(hub)
                except HubError as error:
                    self._state, self._reason = "waiting", str(error)
                finally:
                    hub.close()
                if time.monotonic() - began >= STEADY_SECONDS:
                    pause = BACKOFF_FIRST
            self._idle(pause)
            pause = min(2 * pause, BACKOFF_MAX)

    def _connect(self) -> TlsLink:
        """Return a link that the hub has welcomed."""
        link = self._link
        where = f"{link.address} port {link.port}"
        try:
            connection = socket.create_connection((link.address, link.port), CONNECT_SECONDS)
        except OSError as error:
            raise HubError(f"the hub at {where} cannot be reached ({error})") from error
        hub = TlsLink(connection, self._tls, link.address)
        try:
            hub.handshake()
            refused = verdict(hub.read_line(LONGEST_GREETING))
            if refused:
                raise HubError(f"the hub at {where} refused this desktop: {refused}")
        except ssl.SSLError as error:
            hub.close()
            said = getattr(error, "verify_message", "") or error.reason or str(error)
            raise HubError(f"no TLS with the hub at {where}: {said}") from error
        except OSError as error:
            hub.close()
            raise HubError(f"the hub at {where} ended the connection ({error})") from error
        except HubError:
            hub.close()
            raise
        connection.setblocking(False)
        return hub

    def _idle(self, seconds: float) -> None:
        """Wait; what the guest says meanwhile is lost, as with a cable unplugged."""
        end = time.monotonic() + seconds
        while not self._stop.is_set() and (left := end - time.monotonic()) > 0:
            if self._qemu in select.select([self._qemu, self._woken], [], [], left)[0]:
                self._lost += len(self._from_qemu.feed(_received(self._qemu)))

    def _pump(self, hub: TlsLink) -> None:
        """Carry frames both ways until one side fails; batches of whatever has come make it cheap."""
        qemu = self._qemu
        from_hub, to_qemu = Splitter(), self._to_qemu
        self._queue_for_qemu(from_hub.feed, hub.receive())  # what came with the greeting
        heard = said = time.monotonic()
        while not self._stop.is_set():
            now = time.monotonic()
            if now - heard > SILENCE_SECONDS:
                raise HubError(f"the hub was silent for {SILENCE_SECONDS:g} s")
            if now - said > HEARTBEAT_SECONDS:
                hub.queue(HEARTBEAT)
                said = now
            readers = [hub.socket, self._woken]
            if hub.waiting < _MOST_WAITING:
                readers.append(qemu)
            writers = ([hub.socket] if hub.waiting else []) + ([qemu] if to_qemu else [])
            ready, free, _ = select.select(readers, writers, [], HEARTBEAT_SECONDS)
            if qemu in ready:
                frames = self._from_qemu.feed(_received(qemu))
                self._to_hub += len(frames)
                if frames:
                    hub.queue(join(frames))
                    said = now
            if hub.socket in ready:
                heard = now
                self._queue_for_qemu(from_hub.feed, hub.receive())
            if hub.waiting and (qemu in ready or hub.socket in free):
                hub.flush()
            if to_qemu:
                with contextlib.suppress(BlockingIOError):
                    del to_qemu[: qemu.send(to_qemu)]

    def _queue_for_qemu(self, split: Callable[[bytes], list[bytes]], data: bytes) -> None:
        try:
            frames = split(data)
        except FrameError as error:
            raise HubError(f"what the hub sends is no stream of frames ({error})") from error
        self._from_hub += len(frames)
        if len(self._to_qemu) + len(data) > _MOST_WAITING:  # the guest is held still for its owner
            self._lost += len(frames)
        else:
            self._to_qemu += join(frames)


def _received(qemu: socket.socket) -> bytes:
    try:
        data = qemu.recv(_READ)
    except BlockingIOError:
        return b""
    if not data:
        raise ConnectionResetError("it closed the connection")
    return data
