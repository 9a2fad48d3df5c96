# SPDX-License-Identifier: GPL-3.0-or-later
"""An authority of client certificates, as Ansible's variables name them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


@dataclass(frozen=True)
class Authority:
    """An authority of client certificates."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    name: x509.Name

    @property
    def pem(self) -> Path:
        return self.folder / "authority.pem"

    def issue(
        self, principal: str = "pool-admin@localhost", days: int = 2, purpose: str = "CLIENT_AUTH"
    ) -> dict[str, str]:
        """Issue a certificate; return Ansible's variables for it."""
        key = ec.generate_private_key(ec.SECP256R1())
        encoded = bytes([0x0C, len(principal.encode())]) + principal.encode()
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pool-admin")]))
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=10))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(
                x509.SubjectAlternativeName([x509.OtherName(PRINCIPAL_NAME, encoded)]), critical=False
            )
            .add_extension(x509.ExtendedKeyUsage([getattr(ExtendedKeyUsageOID, purpose)]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        stem = self.folder / f"{principal}{days}{purpose}"
        files = {
            "cert_pem": (stem.with_suffix(".crt"), made.public_bytes(serialization.Encoding.PEM)),
            "cert_key_pem": (stem.with_suffix(".key"), _secret(key)),
        }
        for path, text in files.values():
            path.touch(0o600)
            path.write_bytes(text)
        return {f"ansible_winrm_{name}": str(path) for name, (path, _) in files.items()}


def _secret(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def authority(folder: Path) -> Authority:
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"clients of {folder.name}")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=20))
        .not_valid_after(now + timedelta(days=20))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "authority.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return Authority(folder, key, name)
