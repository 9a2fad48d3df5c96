# SPDX-License-Identifier: GPL-3.0-or-later
"""NTLM, SPNEGO and CredSSP at the accepting end, by pyspnego; the state belongs to one TCP connection."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from eyrie.lab.wsman.settings import Account

_ENVIRONMENT = threading.Lock()
_VARIABLE = "NTLM_USER_FILE"

Scheme = Literal["Negotiate", "CredSSP"]
"""As it is called in HTTP's headers."""


class UserFile:
    """The accounts as pyspnego wants them: in a file, which is on no disk and gone with this process."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._file = os.fdopen(os.memfd_create("users"), "w", encoding="utf-8")
        self._path = f"/proc/self/fd/{self._file.fileno()}"
        # Clients send no domain, "." or the name they were greeted with, and each is looked up as it is.
        domains = ("", ".", socket.gethostname().upper())
        lines = [f"{domain}:{each.name}:{each.password}\n" for each in accounts for domain in domains]
        self._file.writelines(lines)
        self._file.flush()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Let pyspnego see these accounts; it knows no way but the environment, which all endpoints share."""
        with _ENVIRONMENT:
            before = os.environ.get(_VARIABLE)
            os.environ[_VARIABLE] = self._path
            try:
                yield
            finally:
                if before is None:
                    del os.environ[_VARIABLE]
                else:
                    os.environ[_VARIABLE] = before

    def close(self) -> None:
        """Forget the accounts."""
        self._file.close()


class Refused(Exception):
    """The client could not prove who it is."""


class Negotiation:
    """One handshake, and afterwards the keys of its connection."""

    def __init__(
        self, users: UserFile, bindings: GssChannelBindings | None = None, scheme: Scheme = "Negotiate"
    ) -> None:
        self.scheme = scheme
        self._users = users
        with users.lent():
            self._context = spnego.server(
                hostname=socket.gethostname(),
                service="HTTP",
                protocol=scheme.lower(),
                options=spnego.NegotiateOptions.use_negotiate,
                channel_bindings=bindings,
            )

    def step(self, token: bytes) -> bytes | None:
        """Take the client's token and return the one to answer with."""
        try:
            with self._users.lent():
                return self._context.step(token)
        # pyspnego lets errors of its parsers through where a token is no token, and of TLS within CredSSP.
        except (SpnegoError, ValueError, LookupError, ssl.SSLError) as error:
            raise Refused(str(error)) from error

    @property
    def complete(self) -> bool:
        """Whether the client has proved who it is."""
        return self._context.complete

    @property
    def user(self) -> str:
        """The account's name, without a domain."""
        return str(self._context.client_principal or "").rpartition("\\")[2]

    def unseal(self, signature: bytes, sealed: bytes) -> bytes:
        """Check and decrypt a message."""
        try:
            return self._context.unwrap_winrm(signature, sealed)
        # A message of another connection: within CredSSP it is TLS that notices.
        except (SpnegoError, ssl.SSLError) as error:
            raise Refused(str(error)) from error

    def seal(self, message: bytes) -> tuple[bytes, bytes, int]:
        """Encrypt a message: signature, sealed bytes, padding."""
        done = self._context.wrap_winrm(message)
        return done.header, done.data, done.padding_length
