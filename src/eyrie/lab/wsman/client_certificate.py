# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a client's certificate stands for: Windows maps the principal name in it to a local account."""

from __future__ import annotations

import ssl

from cryptography import x509

from eyrie.lab.wsman.negotiation import Refused
from eyrie.lab.wsman.settings import Account, Settings

_PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_UTF8_STRING = 0x0C


def ask(context: ssl.SSLContext, settings: Settings) -> None:
    """Ask clients for a certificate of the authority; one without may log in by other means."""
    if settings.client_authority is not None:
        context.load_verify_locations(settings.client_authority)
        context.verify_mode = ssl.CERT_OPTIONAL


def account(connection: ssl.SSLSocket, settings: Settings) -> Account:
    """Return the account that the certificate of this connection is mapped to."""
    certificate = connection.getpeercert(binary_form=True)
    if settings.client_authority is None or certificate is None:
        raise Refused("no certificate of the client")
    name = principal(certificate).lower()
    for each in settings.accounts:
        if name and each.principal.lower() == name:
            return each
    raise Refused(f"nobody is mapped to the principal name {name!r}")


def principal(certificate: bytes) -> str:
    """Return the user principal name of a certificate in DER; empty if it has none."""
    try:
        names = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        for each in names.value.get_values_for_type(x509.OtherName):
            if each.type_id == _PRINCIPAL_NAME:
                return _utf8(each.value)
    except (ValueError, x509.ExtensionNotFound) as error:
        raise Refused(f"certificate of the client: {error}") from error
    return ""


def _utf8(encoded: bytes) -> str:
    # A name is shorter than 128 bytes, so that its length is one byte.
    if len(encoded) < 2 or encoded[0] != _UTF8_STRING or encoded[1] != len(encoded) - 2:
        raise ValueError("a principal name that is no UTF8String")
    return encoded[2:].decode()
