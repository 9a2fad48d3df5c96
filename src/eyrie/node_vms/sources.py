# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a kernel or a root image comes from: the depot, or a file of the operator with its hash."""

from __future__ import annotations

import re
from pathlib import Path

from eyrie.artefacts.catalogue import load
from eyrie.artefacts.depot import Depot, depot_root
from eyrie.artefacts.file_set import digest
from eyrie.errors import EyrieError


def source(variable: str, value: str, sha256: str, depot: str = "") -> Path:
    """Return the file that `value` names, an artefact or an absolute path, if its hash is right."""
    if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise EyrieError(f"{variable}_sha256", seen=sha256, wanted="64 small hex digits")
    if not value.startswith("/"):
        file = Depot(Path(depot) if depot else depot_root(), load()).path(value)
    else:
        file = Path(value)
        if not sha256:
            raise EyrieError(
                f"{variable}_sha256", seen="nothing", wanted=f"the SHA-256 that {value} must have"
            )
    try:
        seen = digest(file)
    except OSError as error:
        raise EyrieError(f"{variable}: {value}", seen=error.strerror, wanted="a file to read") from error
    if sha256 and seen != sha256:
        raise EyrieError(
            f"{variable}: {value}",
            seen=f"SHA-256 {seen}",
            wanted=f"SHA-256 {sha256}",
            next_step=f"use the right file, or correct {variable}_sha256",
        )
    return file
