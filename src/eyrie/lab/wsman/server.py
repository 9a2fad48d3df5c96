# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint: a listening socket, one thread a connection.

A thread a connection is what per-connection authentication and Receive's long waits look like without
ceremony; a desktop has a handful of clients.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import sys
import threading
from socketserver import ThreadingTCPServer
from types import TracebackType
from typing import Any

from spnego.channel_bindings import GssChannelBindings

from eyrie.lab.wsman import client_certificate
from eyrie.lab.wsman.connection import Connection, shut
from eyrie.lab.wsman.negotiation import UserFile
from eyrie.lab.wsman.runner import Runner
from eyrie.lab.wsman.service import Service
from eyrie.lab.wsman.settings import Settings


class Endpoint(ThreadingTCPServer):
    """A desktop's WinRM service; `with` starts and stops it."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, settings: Settings, runner: Runner, address: tuple[str, int] = ("127.0.0.1", 0)
    ) -> None:
        self.service = Service(settings, runner)
        self.users = UserFile(settings.accounts)
        self.tls = _tls(settings)
        self.bindings = _bindings(settings)
        self.offers_basic = settings.basic and (self.tls is not None or settings.allow_unencrypted)
        self._open: set[socket.socket] = set()
        self._thread: threading.Thread | None = None
        super().__init__(address, Connection)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"{'https' if self.tls else 'http'}://{self.server_address[0]!s}:{self.port}/wsman"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="wsman", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, end all commands and connections."""
        self.shutdown()
        if self._thread is not None:
            self._thread.join()
        self.server_close()
        self.service.shells.close()
        for connection in list(self._open):
            shut(connection)
        self.users.close()

    def __enter__(self) -> Endpoint:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that stopping can end it."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a client that cannot do TLS, or went away, be; everything else is a bug worth its traceback."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.certificate)
    client_certificate.ask(context, settings)
    return context


def _bindings(settings: Settings) -> GssChannelBindings | None:
    if settings.certificate is None or not settings.channel_binding:
        return None
    pem = settings.certificate.read_text(encoding="ascii")
    start = pem.index("-----BEGIN CERTIFICATE")
    first = pem[start : pem.index("-----END CERTIFICATE-----", start)] + "-----END CERTIFICATE-----\n"
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).digest()
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest)
