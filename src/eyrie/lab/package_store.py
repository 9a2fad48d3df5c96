# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a package or an index lies on the mirror and in the cache, and the files of the cache."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

SEGMENT = re.compile(r"[A-Za-z0-9._+~:@=-]+")
IMMUTABLE = re.compile(r"/pool/.*\.deb$|/by-hash/[A-Za-z0-9]+/[0-9a-f]+$")
STALE_PART_SECONDS = 3600.0


@dataclass(frozen=True)
class Location:
    """One file of an archive."""

    key: str  # path in the cache
    url: str  # on the mirror
    immutable: bool


@dataclass(frozen=True)
class Entry:
    """What the cache knows about a file it holds."""

    sha256: str
    etag: str = ""
    last_modified: str = ""
    content_type: str = "application/octet-stream"


def locate(path: str, archives: Mapping[str, str]) -> Location | None:
    """Map a requested path (already percent-decoded) to its place; None for what the cache does not serve."""
    if not path.startswith("/"):
        return None
    archive, *segments = path[1:].split("/")
    plain = all(SEGMENT.fullmatch(segment) and segment not in (".", "..") for segment in segments)
    if archive not in archives or len(segments) < 2 or segments[0] not in ("dists", "pool") or not plain:
        return None
    inner = "/".join(segments)
    return Location(f"{archive}/{inner}", f"{archives[archive]}/{quote(inner)}", bool(IMMUTABLE.search(path)))


@dataclass(frozen=True)
class Store:
    """The cache's directory: each file, and beside it what is known of it."""

    directory: Path

    def path(self, key: str) -> Path:
        """Return the file of a key."""
        return self.directory / key

    def entry(self, key: str) -> Entry | None:
        """Return what is known of a whole and unharmed file, else None."""
        try:
            entry = Entry(**json.loads(self._about(key).read_text(encoding="utf-8")))
            with self.path(key).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError, TypeError):
            return None
        return entry if digest == entry.sha256 else None

    def part(self, key: str) -> Path:
        """Return a new name to download to, beside the final one."""
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}.part")

    def keep(self, key: str, part: Path, entry: Entry) -> None:
        """Put a finished download in place; between the renames the hash does not fit: then it is absent."""
        about = part.with_suffix(".about")
        about.write_text(json.dumps(asdict(entry)), encoding="utf-8")
        part.rename(self.path(key))
        about.rename(self._about(key))

    def sweep(self) -> None:
        """Remove downloads that a killed cache left behind."""
        for part in [*self.directory.rglob(".*.part"), *self.directory.rglob(".*.about")]:
            if time.time() - part.stat().st_mtime > STALE_PART_SECONDS:
                part.unlink(missing_ok=True)

    def _about(self, key: str) -> Path:
        path = self.path(key)
        return path.with_name(f"{path.name}~about")
