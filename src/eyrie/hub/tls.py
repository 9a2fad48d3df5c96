# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS 1.3 between carrier and hub: both show a certificate of the pool's own authority, for the right use."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eyrie.errors import EyrieError


@dataclass(frozen=True)
class Identity:
    """Files (PEM) that prove who one is, and by whom others must be vouched for."""

    ca: str
    certificate: str
    key: str


def client_context(identity: Identity) -> ssl.SSLContext:
    """Return what a carrier speaks; the hub's certificate must name the address that the carrier was told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate, purpose and name
    return _load(context, identity)


def server_context(identity: Identity) -> ssl.SSLContext:
    """Return what the hub speaks; without a certificate of the authority nobody gets past the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # nobody comes back without showing the certificate again
    return _load(context, identity)


def _load(context: ssl.SSLContext, identity: Identity) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    what = f"the pool's authority {identity.ca}"
    try:
        context.load_verify_locations(identity.ca)
        what = f"certificate {identity.certificate} with key {identity.key}"
        context.load_cert_chain(identity.certificate, identity.key)
    except OSError as error:  # ssl.SSLError is one
        raise EyrieError(what, seen=str(error), wanted="readable PEM files that belong together") from error
    return context


def common_name(certificate: Mapping[str, Any]) -> str:
    """Return the one common name of a certificate that ssl has verified, or nothing."""
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return names[0] if len(names) == 1 else ""
