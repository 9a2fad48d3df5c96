# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS over a socket with buffers of its own, so that a batch of frames costs one call of each kind."""

from __future__ import annotations

import contextlib
import socket
import ssl

from eyrie.errors import EyrieError

_READ = 256 * 1024


class HubError(EyrieError):
    """The hub cannot be used for the time being."""


class TlsLink:
    """A carrier's connection to the hub."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, address: str) -> None:
        self.socket = connection
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=address)
        self._unsent = bytearray()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def waiting(self) -> int:
        """Return how many encrypted bytes wait to be sent."""
        return len(self._unsent) + self._out.pending

    def handshake(self) -> None:
        """Prove both sides to each other; the socket may wait, up to its timeout."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._exchange()
            else:
                self.socket.sendall(self._out.read())
                return

    def read_line(self, longest: int) -> bytes:
        """Return what the hub says first, byte by byte: the frames come right behind it."""
        line = b""
        while not line.endswith(b"\n") and len(line) < longest:
            try:
                byte = self._tls.read(1)
            except ssl.SSLWantReadError:
                self._exchange()
            else:
                if not byte:
                    raise ConnectionResetError("nothing said")
                line += byte
        return line

    def _exchange(self) -> None:
        if self._out.pending:
            self.socket.sendall(self._out.read())
        data = self.socket.recv(_READ)
        if not data:
            raise ConnectionResetError("closed")
        self._in.write(data)

    def queue(self, data: bytes) -> None:
        """Encrypt bytes for the hub."""
        self._tls.write(data)

    def flush(self) -> None:
        """Send what the socket takes."""
        self._unsent += self._out.read()
        try:
            del self._unsent[: self.socket.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError as error:
            raise HubError(f"the hub is gone ({error})") from error

    def receive(self) -> bytes:
        """Return what has come, decrypted; nothing when it is half a record."""
        parts: list[bytes] = []
        try:
            with contextlib.suppress(BlockingIOError):
                data = self.socket.recv(_READ)
                if not data:
                    raise HubError("the hub closed the connection")
                self._in.write(data)
            while True:
                part = self._tls.read(_READ)
                if not part:
                    raise HubError("the hub closed the connection")
                parts.append(part)
        except ssl.SSLWantReadError:
            return b"".join(parts)
        except ssl.SSLError as error:
            raise HubError(f"the hub ended TLS: {error.reason or error}") from error
        except OSError as error:
            raise HubError(f"the hub is gone ({error})") from error

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()
