# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool's certificate authority: made once on the control side; its key never leaves it.

It signs servers of the pool alone. Desktops are handed its certificate with their spec and trust it for
nothing else: it is put into no system's store.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from eyrie.errors import EyrieError

AUTHORITY_DAYS = 3650
SLACK = timedelta(hours=25)
"""Clocks of desktops are wrong, most often by whole hours: a certificate counts from the day before."""
_USES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "desktop": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True)
class Authority:
    """Certificate and key, both PEM."""

    certificate: str
    private_key: str


@dataclass(frozen=True)
class WantedCertificate:
    """What a server's certificate has to be."""

    names: tuple[str, ...]
    """Host names and addresses; the first is its subject."""

    days: int
    use: Literal["server", "desktop"] = "server"
    """A desktop's certificate proves its name to the pool's hub, and is no use for playing a server."""


def new_authority(pool: str, now: datetime) -> Authority:
    """Make an authority for a pool."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Eyrie pool {pool}"[:64])])
    certificate = (
        _builder(subject, subject, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(_pem(certificate), _key_pem(key))


def issue(authority: Authority, wanted: WantedCertificate, now: datetime) -> str:
    """Make a server's key and certificate: one PEM text, the key first, so that both change together."""
    issuer, signer = _loaded(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted.names[0][:64])])
    certificate = (
        _builder(subject, issuer.subject, key.public_key(), now, wanted.days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([_USES[wanted.use]]), critical=False)
        .add_extension(x509.SubjectAlternativeName(list(map(_alternative, wanted.names))), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    return _key_pem(key) + _pem(certificate)


def revocations(authority: Authority, serials: Collection[int]) -> str:
    """Return the signed list of certificates that count no longer, as PEM (RFC 5280, section 5).

    The same list is the same text: it is good for as long as its authority, and `site.yml` brings the next.
    """
    issuer, signer = _loaded(authority)
    begin, end = issuer.not_valid_before_utc, issuer.not_valid_after_utc
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(begin)
        .next_update(end)
        .add_extension(x509.CRLNumber(len(serials)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    for serial in sorted(serials):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(begin)
        builder = builder.add_revoked_certificate(entry.build())
    signed = builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True)
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def serial_numbers(texts: Iterable[str]) -> frozenset[int]:
    """Read serial numbers in hex, with or without colons, as `openssl x509 -serial` tells them."""
    found = set()
    for text in texts:
        digits = text.removeprefix("serial=").replace(":", "")
        if not re.fullmatch(r"[0-9A-Fa-f]{1,40}", digits) or int(digits, 16) == 0:
            raise EyrieError(
                "serial number of a certificate",
                seen=text,
                wanted="1 to 40 hex digits",
                next_step="openssl x509 -noout -serial -in FILE",
            )
        found.add(int(digits, 16))
    return frozenset(found)


def certificate_renewal_reason(
    pem: str,
    wanted: WantedCertificate,
    authority_pem: str,
    now: datetime,
    revoked: Collection[int] = (),
) -> str:
    """Say why a server needs a new certificate; the empty string says that it does not."""
    if not pem.strip():
        return "certificate is missing"
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        key = serialization.load_pem_private_key(pem.encode(), None)
    except ValueError:
        return "certificate or key is malformed"
    if _public(key.public_key()) != _public(certificate.public_key()):
        return "the key belongs to another certificate"
    if certificate.serial_number in revoked:
        return "certificate is revoked"
    return _reason(certificate, wanted, authority_pem, now)


def public_renewal_reason(pem: str, wanted: WantedCertificate, authority_pem: str, now: datetime) -> str:
    """Say the same of a certificate whose key stays where it is."""
    if not pem.strip():
        return "certificate is missing"
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        return "certificate is malformed"
    return _reason(certificate, wanted, authority_pem, now)


def _reason(
    certificate: x509.Certificate, wanted: WantedCertificate, authority_pem: str, now: datetime
) -> str:
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority_pem.encode()))
    except (ValueError, TypeError, InvalidSignature):
        return "certificate was signed by another authority"
    if _names(certificate) != set(map(_alternative, wanted.names)):
        return "certificate names something else"
    if _use(certificate) != [_USES[wanted.use]]:
        return "certificate is for another use"
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if begin > now + SLACK:
        return "certificate was issued in the future"
    if abs((end - begin - SLACK).total_seconds() - wanted.days * 86400) > 1:
        return "certificate has another lifetime"
    if end - now < (end - begin) / 3:
        return "certificate has less than a third of its life left"
    return ""


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    begin = now.astimezone(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - SLACK)
        .not_valid_after(begin + timedelta(days=days))
    )


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign,
        key_cert_sign=sign,
        crl_sign=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _names(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return set()


def _use(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return []


def _loaded(authority: Authority) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        certificate = x509.load_pem_x509_certificate(authority.certificate.encode())
        key = serialization.load_pem_private_key(authority.private_key.encode(), None)
    except (ValueError, TypeError):
        raise _unusable("what cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or _public(key.public_key()) != _public(
        certificate.public_key()
    ):
        raise _unusable("a key and a certificate that do not belong together")
    return certificate, key


def _unusable(seen: str) -> EyrieError:
    return EyrieError(
        "the pool's certificate authority",
        seen=seen,
        wanted="the certificate and key that site.yml made",
        next_step="restore the file of the site's secrets, or remove it: site.yml makes a new authority",
    )


def _public(key: object) -> bytes:
    data: bytes = key.public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return data


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
