# SPDX-License-Identifier: GPL-3.0-or-later
"""One TCP connection: HTTP, who is at the other end, and the encryption that follows from it."""

from __future__ import annotations

import base64
import binascii
import hmac
import socket
import ssl
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from eyrie.lab.wsman import sealing
from eyrie.lab.wsman.negotiation import Negotiation, Refused

if TYPE_CHECKING:
    from eyrie.lab.wsman.server import Endpoint

SOAP_TYPE = "application/soap+xml;charset=UTF-8"
MOST_BYTES = 16 * 1024 * 1024


class Connection(BaseHTTPRequestHandler):
    """The standard library's handler lives as long as its connection, as does what NTLM negotiated."""

    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-HTTPAPI/2.0"
    sys_version = ""
    timeout = 300
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Any

    def setup(self) -> None:
        """Speak TLS, if so told, in this connection's own thread."""
        self._user = ""
        self._negotiation: Negotiation | None = None
        endpoint: Endpoint = self.server
        if endpoint.tls is not None:
            self.request.settimeout(30)
            self.request = endpoint.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        """Answer until the client leaves."""
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError, TimeoutError):
            self.close_connection = True

    def finish(self) -> None:
        """Say goodbye, if anybody listens."""
        try:
            super().finish()
        except (OSError, ValueError):
            return

    def do_POST(self) -> None:
        """Answer one request."""
        body = self._read_body()
        if body is None:
            return
        if self.path.partition("?")[0].rstrip("/") != "/wsman":
            self._reply(404)
        elif self.headers.get("WSMANIDENTIFY"):
            self._reply(200, self.server.service.identify())
        elif self._authenticate(body):
            self._serve(body)

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            self.close_connection = True
            self._reply(413 if length.isdigit() else 411)
            return None
        return self.rfile.read(int(length))

    def _authenticate(self, body: bytes) -> bool:
        """Return whether to go on with the request; if not, it is answered."""
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        try:
            token = base64.b64decode(text, validate=True)
            if kind.lower() in ("negotiate", "ntlm"):
                return self._negotiate(token, body)
            if kind.lower() == "basic" and self.server.offers_basic:
                self._user = self._basic(token)
        except (Refused, binascii.Error, UnicodeDecodeError):
            self._user, self._negotiation = "", None
        if not self._user:
            self._challenge()
        return bool(self._user)

    def _negotiate(self, token: bytes, body: bytes) -> bool:
        if self._negotiation is None or self._negotiation.complete:
            self._user, self._negotiation = "", Negotiation(self.server.users, self.server.bindings)
        answer = self._negotiation.step(token)
        told = "Negotiate " + base64.b64encode(answer).decode() if answer else ""
        if not self._negotiation.complete:
            self._reply(401, headers=[("WWW-Authenticate", told or "Negotiate")])
            return False
        self._user = self._negotiation.user
        if body:
            self._final = told
            return True
        self._reply(200, headers=[("WWW-Authenticate", told)] if told else [])
        return False

    def _basic(self, token: bytes) -> str:
        name, _, password = token.decode().partition(":")
        account = self.server.service.settings.account(name)
        expected = account.password if account else ""
        good = hmac.compare_digest(password.encode(), expected.encode()) and account is not None
        if not good:
            raise Refused("Basic")
        return name

    def _challenge(self) -> None:
        headers = [("WWW-Authenticate", "Negotiate")]
        if self.server.offers_basic:
            headers.append(("WWW-Authenticate", 'Basic realm="WSMAN"'))
        self._reply(401, headers=headers)

    def _serve(self, body: bytes) -> None:
        sealed = sealing.is_sealed(self.headers.get("Content-Type", ""))
        if sealed:
            try:
                body = self._unseal(body)
            except (Refused, ValueError):
                # As Windows answers a message sealed for another connection.
                self._reply(400)
                return
        elif self.server.tls is None and not self.server.service.settings.allow_unencrypted:
            self._reply(500)
            return
        status, answer = self.server.service.handle(self._user, body)
        self._reply(status, self._seal(answer) if sealed else answer, sealed=sealed)

    def _unseal(self, body: bytes) -> bytes:
        if self._negotiation is None:
            raise Refused("no keys")
        return self._negotiation.unseal(*sealing.unpack(body))

    def _seal(self, answer: bytes) -> bytes:
        assert self._negotiation is not None
        signature, data, padding = self._negotiation.seal(answer)
        return sealing.pack(signature, data, len(answer) + padding)

    _final = ""
    """What the negotiation still has to say, together with the first answer."""

    def _reply(
        self,
        status: int,
        body: bytes = b"",
        *,
        headers: list[tuple[str, str]] | None = None,
        sealed: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in headers or []:
            self.send_header(name, value)
        if self._final:
            self.send_header("WWW-Authenticate", self._final)
            self._final = ""
        if body:
            self.send_header("Content-Type", sealing.CONTENT_TYPE if sealed else SOAP_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Stay silent: the endpoint's owner counts requests itself."""


def shut(connection: socket.socket) -> None:
    """End a connection that may be in use."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
