# SPDX-License-Identifier: GPL-3.0-or-later
"""What an unpacked item consists of, so that a file that later changes or vanishes is noticed.

A look compares size and time only, which costs no reading of hundreds of megabytes; where the time differs
the file is read.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

FILE = ".eyrie-manifest.json"
CHUNK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """One file of an item."""

    size: int
    mtime_ns: int
    sha256: str


def digest(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    seen = hashlib.sha256()
    with path.open("rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            seen.update(chunk)
    return seen.hexdigest()


def write(folder: Path, entries: Mapping[str, Entry]) -> None:
    """Write the manifest into the item's own folder, so that one rename brings both."""
    rows = {name: [each.size, each.mtime_ns, each.sha256] for name, each in entries.items()}
    draft = folder / (FILE + ".new")
    with draft.open("w", encoding="utf-8") as stream:
        json.dump(rows, stream, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(folder / FILE)


def read(folder: Path) -> dict[str, Entry] | None:
    """Return the manifest; None if there is none or it is damaged."""
    try:
        rows = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return {name: Entry(int(size), int(time), str(sha256)) for name, (size, time, sha256) in rows.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def damage(folder: Path) -> dict[str, str] | None:
    """Return the files that are not as they were, each with what is wrong; None: there is no such item."""
    entries = read(folder)
    if entries is None:
        return None
    wrong = {name: _wrong(folder / name, entry) for name, entry in entries.items()}
    return {name: fault for name, fault in wrong.items() if fault}


def _wrong(path: Path, entry: Entry) -> str:
    try:
        status = path.stat()
        if status.st_size != entry.size:
            return "changed"
        if status.st_mtime_ns == entry.mtime_ns:
            return ""
        return "" if digest(path) == entry.sha256 else "changed"
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"unreadable ({error.strerror})"
