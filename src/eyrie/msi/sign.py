# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs an MSI with osslsigncode, so that desktops can tell who made it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.msi.model import PRODUCT
from eyrie.msi.programs import require, run


@dataclass(frozen=True)
class Signer:
    """A code-signing certificate (with its chain) and key, both PEM; the key without a password."""

    certificate: Path
    key: Path
    timestamp_url: str = ""
    """Without a time stamp the signature ends with the certificate."""


def sign(msi: Path, signer: Signer) -> None:
    """Replace the file by its signed self."""
    require("osslsigncode")
    for path in (signer.certificate, signer.key):
        if not path.is_file():
            raise EyrieError(f"{path}", seen="no such file", wanted="a PEM file")
    draft = msi.with_name(f".{msi.name}.signed")
    stamp: list[str | Path] = ["-ts", signer.timestamp_url] if signer.timestamp_url else []
    argv: list[str | Path] = [
        "osslsigncode",
        "sign",
        "-h",
        "sha256",
        "-n",
        PRODUCT,
        "-certs",
        signer.certificate,
    ]
    try:
        run([*argv, "-key", signer.key, *stamp, "-in", msi, "-out", draft])
        draft.replace(msi)
    finally:
        draft.unlink(missing_ok=True)
