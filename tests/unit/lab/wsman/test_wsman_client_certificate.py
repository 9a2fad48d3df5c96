# SPDX-License-Identifier: GPL-3.0-or-later
"""The principal name in a client's certificate, also where it is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from eyrie.lab.wsman.client_certificate import principal
from eyrie.lab.wsman.negotiation import Refused

PRINCIPAL_NAME, OTHER = "1.3.6.1.4.1.311.20.2.3", "1.2.3.4"


def made(*names: x509.GeneralName) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "admin")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    builder = builder.public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def other(value: bytes, kind: str = PRINCIPAL_NAME) -> x509.OtherName:
    return x509.OtherName(x509.ObjectIdentifier(kind), value)


def test_finds_the_principal_name_among_others() -> None:
    names = (x509.DNSName("admin@x"), other(b"\x0c\x01y", OTHER), other(b"\x0c\x04a@\xc3\xbc"))
    assert principal(made(*names)) == "a@ü"


def test_a_common_name_is_no_principal_name() -> None:
    assert principal(made(x509.RFC822Name("admin@x"))) == ""


@pytest.mark.parametrize(
    "certificate",
    [
        b"",
        b"no certificate",
        made(),
        made(other(b"\x0c\x81\x80" + b"x" * 128)),
        made(other(b"\x13\x03a@x")),
        made(other(b"\x05\x00")),
        made(other(b"\x0c\x02\xff\xff")),
    ],
    ids=["empty", "none", "nameless", "long", "other-type", "null", "not-utf-8"],
)
def test_refuses_what_names_nobody(certificate: bytes) -> None:
    with pytest.raises(Refused, match="certificate of the client"):
        principal(certificate)
