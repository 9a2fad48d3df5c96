# SPDX-License-Identifier: GPL-3.0-or-later
"""The package's GUIDs, all derived: the same package has the same everywhere, another package never."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable

_NAMESPACE = uuid.UUID("5b1f6c1e-3d0a-5c57-9a55-6f0c6e0d2c11")

UPGRADE_CODE = "{7F2C1A52-8E0B-5F6D-9E53-0B7D5C1A9E44}"
"""What makes two packages versions of one product. It never changes."""


def guid(*names: str) -> str:
    """Return the GUID of a thing that is known by these names, in Windows Installer's spelling."""
    return "{" + str(uuid.uuid5(_NAMESPACE, "\n".join(names))).upper() + "}"


def fingerprint(parts: Iterable[str]) -> str:
    """Return the SHA-256 of a list of texts, in hex; no two lists have the same."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
