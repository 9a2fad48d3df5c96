# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a pool commits and never edits by hand: what was given for ever, with a checksum of it."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any


def checksum(values: Any) -> str:
    """SHA-256 of the values, so that layout and comments do not matter."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode("ascii")).hexdigest()


def replace(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace the file in one step, so that there is never half of one."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
