# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what is kept for Windows desktops (Python, QEMU, packages, packed images), and who needs it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from eyrie.artefacts.windows_files import PINS, pins
from eyrie.cache.prune import Cached
from eyrie.guests.image.recipe import MANIFEST

FOLDER = "windows"
ITEMS = "items"
_PACKAGE, _IMAGE = "eyrie-agent-", "guest-image-"


def read(cache: Path, is_current: Callable[[Path], bool]) -> Iterator[Cached]:
    """Return every folder and file; `is_current` tells whether a guest image is today's."""
    pinned = {f"{each.project}-{each.version}-{each.sha256[:16]}" for each in pins(PINS.read_text("utf-8"))}
    for path in sorted((cache / FOLDER).glob("*")):
        if path.is_dir() and path.name != ITEMS:
            needed = "pinned in requirements/windows.txt" if path.name in pinned else ""
            yield _cached(path, [path, *path.rglob("*")], needed)
    files = [path for path in sorted((cache / FOLDER / ITEMS).glob("*")) if path.suffix in (".msi", ".zip")]
    packages = [path for path in files if path.name.startswith(_PACKAGE)]
    newest = max(packages, key=lambda path: path.stat().st_mtime, default=None)
    for path in files:
        image = cache / "guest-images" / path.stem[len(_IMAGE) :]
        needed = ""
        if path == newest:
            needed = "the newest agent"
        elif path.stem in pinned:
            needed = "pinned in requirements/windows.txt"
        elif path.name.startswith(_IMAGE) and (image / MANIFEST).exists() and is_current(image):
            needed = "its recipe is today's"
        yield _cached(path, [path], needed)


def _cached(path: Path, entries: list[Path], needed: str) -> Cached:
    size = sum(each.lstat().st_blocks for each in entries) * 512
    return Cached(path, size, path.stat().st_mtime, needed, finished=not path.name.startswith(".new-"))


def lock_of(path: Path) -> Path:
    """Return the lock that whoever makes this holds."""
    hidden = "." if path.parent.name == ITEMS else ""
    return path.with_name(f"{hidden}{path.name}.lock")


def holds(path: Path) -> bool:
    """Whether this is one of ours."""
    return FOLDER in (path.parent.name, path.parent.parent.name)


def remove(path: Path) -> None:
    """Remove one, with the note of its hash and its lock."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    for beside in (path.with_name(f"{path.name}.json"), lock_of(path)):
        beside.unlink(missing_ok=True)
