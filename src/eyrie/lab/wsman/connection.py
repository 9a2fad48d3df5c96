# SPDX-License-Identifier: GPL-3.0-or-later
"""One TCP connection: HTTP, who is at the other end, and the encryption that follows from it."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import socket
import ssl
from socketserver import StreamRequestHandler
from typing import TYPE_CHECKING, Any

from eyrie.lab.wsman import client_certificate, names, sealing, wire
from eyrie.lab.wsman.kerberos import Kerberos, is_ntlm
from eyrie.lab.wsman.negotiation import Negotiation, Refused, Scheme

if TYPE_CHECKING:
    from eyrie.lab.wsman.server import Endpoint

SOAP_TYPE = "application/soap+xml;charset=UTF-8"
HANDSHAKE_SECONDS = 30
PATIENCE_SECONDS = 2


class Connection(StreamRequestHandler):
    """Lives as long as its TCP connection, as does what NTLM negotiated on it."""

    timeout = 300
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Any

    def setup(self) -> None:
        """Speak TLS, if so told, in this connection's own thread."""
        self._user = ""
        self._negotiation: Negotiation | Kerberos | None = None
        self._final = ""
        endpoint: Endpoint = self.server
        if endpoint.tls is not None:
            self.request.settimeout(HANDSHAKE_SECONDS)
            self.request = endpoint.tls.wrap_socket(
                self.request, server_side=True, do_handshake_on_connect=False
            )
            _greet(self.request)
        super().setup()

    def handle(self) -> None:
        """Answer until the client leaves."""
        try:
            while self._handle_one():
                pass
        except wire.BadRequest as error:
            self._reply(error.status)
        except (ConnectionError, ssl.SSLError, TimeoutError):
            return

    def finish(self) -> None:
        """Say goodbye, if anybody listens."""
        try:
            super().finish()
        except (OSError, ValueError):
            return

    def _handle_one(self) -> bool:
        """Answer one request; False if it was the last."""
        request = wire.read(self.rfile, self.wfile)
        if request is None:
            return False
        self._asked = request.headers
        if request.path.partition("?")[0].rstrip("/") != "/wsman" or request.method != "POST":
            self._reply(404)
        elif "wsmanidentify" in request.headers:
            self._reply(200, self.server.service.identify())
        elif self._authenticate(request.body):
            self._serve(request.body)
        return not request.last

    def _authenticate(self, body: bytes) -> bool:
        """Return whether to go on with the request; if not, it is answered."""
        kind, _, text = self._asked.get("authorization", "").partition(" ")
        try:
            if kind == names.MUTUAL and self.server.tls is not None:
                self._user = client_certificate.account(self.request, self.server.service.settings).name
                return True
            token = base64.b64decode(text, validate=True)
            if kind.lower() in ("negotiate", "ntlm", "kerberos"):
                return self._negotiate("Negotiate", token, body)
            if kind.lower() == "credssp" and self.server.service.settings.credssp:
                return self._negotiate("CredSSP", token, body)
            if kind.lower() == "basic" and self.server.offers_basic:
                self._user = self._basic(token)
        except (Refused, binascii.Error, UnicodeDecodeError):
            self._user, self._negotiation = "", None
        if not self._user:
            self._challenge()
        return bool(self._user)

    def _negotiate(self, scheme: Scheme, token: bytes, body: bytes) -> bool:
        old = self._negotiation
        if old is None or old.complete or old.scheme != scheme:
            self._user, self._negotiation = "", self._begin(scheme, token)
        assert self._negotiation is not None
        answer = self._negotiation.step(token)
        told = f"{scheme} {base64.b64encode(answer).decode()}" if answer else ""
        if not self._negotiation.complete:
            self._reply(401, headers=[("WWW-Authenticate", told or scheme)])
            return False
        self._user = self._negotiation.user
        if body:
            self._final = told
            return True
        self._reply(200, headers=[("WWW-Authenticate", told)] if told else [])
        return False

    def _begin(self, scheme: Scheme, token: bytes) -> Negotiation | Kerberos:
        keytab = self.server.service.settings.keytab
        if scheme == "Negotiate" and keytab is not None and not is_ntlm(token):
            return Kerberos(keytab)
        return Negotiation(self.server.users, self.server.bindings if scheme == "Negotiate" else None, scheme)

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
        if self.server.service.settings.credssp:
            headers.append(("WWW-Authenticate", "CredSSP"))
        if self.server.offers_basic:
            headers.append(("WWW-Authenticate", 'Basic realm="WSMAN"'))
        self._reply(401, headers=headers)

    def _serve(self, body: bytes) -> None:
        sealed = sealing.is_sealed(self._asked.get("content-type", ""))
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
        kind, told = self._seal(answer) if sealed else (SOAP_TYPE, answer)
        self._reply(status, told, kind=kind)

    def _unseal(self, body: bytes) -> bytes:
        if self._negotiation is None:
            raise Refused("no keys")
        if not sealing.is_multi(self._asked.get("content-type", "")):
            return self._negotiation.unseal(*sealing.unpack(body))
        return b"".join(self._negotiation.unseal(*part) for part in sealing.unpack_all(body))

    def _seal(self, answer: bytes) -> tuple[str, bytes]:
        """Return the type and the body of a sealed answer."""
        assert self._negotiation is not None
        credssp = self._negotiation.scheme == "CredSSP"
        size = sealing.CREDSSP_PIECE if credssp else len(answer)
        parts = []
        for start in range(0, len(answer), size):
            piece = answer[start : start + size]
            signature, data, padding = self._negotiation.seal(piece)
            parts.append((signature, data, len(piece) + padding))
        protocol = sealing.CREDSSP if credssp else sealing.SPNEGO
        return sealing.content_type(protocol, len(parts)), sealing.pack_all(parts, protocol)

    def _reply(
        self,
        status: int,
        body: bytes = b"",
        *,
        headers: list[tuple[str, str]] | None = None,
        kind: str = SOAP_TYPE,
    ) -> None:
        told = list(headers or [])
        if self._final:
            # What the negotiation still has to say goes with the first answer.
            told.append(("WWW-Authenticate", self._final))
            self._final = ""
        if body:
            told.append(("Content-Type", kind))
        wire.write(self.wfile, status, told, body)


def _greet(connection: ssl.SSLSocket) -> None:
    try:
        connection.do_handshake()
    except ssl.SSLError:
        # What the client has sent meanwhile must be read, lest it is told of a reset and not of our alert.
        with contextlib.suppress(OSError):
            connection.settimeout(PATIENCE_SECONDS)
            socket.socket.shutdown(connection, socket.SHUT_WR)
            while socket.socket.recv(connection, 65536):
                pass
        raise


def shut(connection: socket.socket) -> None:
    """End a connection that may be in use."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
