# SPDX-License-Identifier: GPL-3.0-or-later
"""What lets clients trust a lab's Windows desktops, and log in: made anew for each lab, gone with it."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from eyrie.lab.model import Host, Topology
from eyrie.lab.paths import Paths

USER = "pool-admin"
DAYS = 365


def authority(paths: Paths) -> Path:
    """Return the certificate of the lab's authority."""
    return paths.state / "windows" / "ca.pem"


def certificate(paths: Paths, host: Host) -> Path:
    """Return a desktop's certificate with its key."""
    return paths.host(host.name) / "winrm.pem"


def password_file(paths: Paths) -> Path:
    """Return the file with the password of the desktops' administrator."""
    return paths.state / "windows" / "password"


def desktops(topology: Topology) -> list[Host]:
    """Return the lab's Windows desktops."""
    return [host for host in topology.hosts if host.is_windows]


def are_made(paths: Paths, topology: Topology) -> bool:
    """Whether all is there that the lab's Windows desktops need; what is there is whole."""
    wanted = desktops(topology)
    files = [authority(paths), password_file(paths), *(certificate(paths, host) for host in wanted)]
    return not wanted or all(path.exists() for path in files)


def ensure(paths: Paths, topology: Topology) -> None:
    """Make what is missing; a new authority signs everything anew."""
    if are_made(paths, topology):
        return
    authority(paths).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not password_file(paths).exists():
        _write(password_file(paths), secrets.token_urlsafe(18).encode())
    key, name = ec.generate_private_key(ec.SECP256R1()), _name(f"Eyrie lab {topology.name}")
    built = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    for host in desktops(topology):
        _write(certificate(paths, host), _signed(host, key, name))
    # Last, and its key nowhere: whoever has this file has certificates that it signed.
    _write(authority(paths), built.public_bytes(serialization.Encoding.PEM))


def _signed(host: Host, issuer_key: ec.EllipticCurvePrivateKey, issuer: x509.Name) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(host.name), x509.IPAddress(host.address)]
    built = (
        _builder(_name(host.name), issuer, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .sign(issuer_key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + built.public_bytes(serialization.Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path: Path, content: bytes) -> None:
    """Write a file that only root reads, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    new.rename(path)
