# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the images on this machine and who needs them, and remove those that nobody does."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eyrie.cache import windows
from eyrie.cache.prune import Cached
from eyrie.errors import EyrieError
from eyrie.guests.image.recipe import MANIFEST, Recipe, epoch_from_environment
from eyrie.lab.recipes import RECIPES

GUESTS = "guest-images"
LABS = "lab-images"
QCOW2 = b"QFI\xfb"


def read(cache: Path, labs: Path, proc: Path = Path("/proc")) -> tuple[Cached, ...]:
    """Return every image of a cache; `labs` holds the labs that may stand on some of them."""
    guests, images = _guest_images(cache / GUESTS), _lab_images(cache / LABS, labs, proc)
    return (*guests, *images, *windows.read(cache, _is_current))


def _guest_images(folder: Path) -> Iterator[Cached]:
    for path in _folders(folder):
        current = not path.name.startswith(".") and _is_current(path)
        needed = "its recipe is today's" if current else ""
        yield _cached(path, needed, finished=not path.name.startswith(".building-"))


def _is_current(path: Path) -> bool:
    """Whether today's builder, asked for the same packages, would take this very image."""
    try:
        packages = tuple(json.loads((path / MANIFEST).read_text(encoding="utf-8"))["requested"])
        return Recipe(packages, epoch_from_environment()).hash() == path.name
    except (OSError, ValueError, KeyError, TypeError, EyrieError):
        return False


def _lab_images(folder: Path, labs: Path, proc: Path) -> Iterator[Cached]:
    current = {recipe.identity for recipe in RECIPES.values()}
    users = _users(labs, proc) if folder.is_dir() else ""
    for path in _folders(folder):
        identity = path.name.removesuffix(".building")
        needed = "its recipe is today's" if identity in current else ""
        if f"{path}/" in users:
            needed = "a lab stands on it"
        yield _cached(path, needed, finished=identity == path.name)


def _users(labs: Path, proc: Path) -> str:
    """Collect all that names an image: mounts, disks that lie over one, programs that run from one."""
    found = [(proc / "mounts").read_text(encoding="utf-8")]
    found += [_backing(disk) for disk in labs.glob("*/hosts/*/*.qcow2")]
    for command in proc.glob("[0-9]*/cmdline"):
        try:
            found.append(command.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # ended meanwhile
            continue
    return "\n".join(found)


def _backing(disk: Path) -> str:
    """Return the file that a qcow2 disk lies over, from its header."""
    with disk.open("rb") as file:
        header = file.read(20)
        if len(header) < 20 or header[:4] != QCOW2:
            return ""
        offset, length = struct.unpack(">QI", header[8:20])
        file.seek(offset)
        return file.read(length).decode(errors="replace") if offset else ""


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_dir() and not path.is_symlink())


def _cached(path: Path, needed: str, *, finished: bool) -> Cached:
    entries = [path, *path.rglob("*")]
    size = sum({(info.st_dev, info.st_ino): info.st_blocks for info in map(os.lstat, entries)}.values()) * 512
    return Cached(path, size, path.stat().st_mtime, needed, finished)


def remove(image: Cached) -> bool:
    """Remove an image and its lock; False if a build that is under way holds that."""
    if windows.holds(image.path):
        with _locked(windows.lock_of(image.path)) as mine:
            if mine:
                windows.remove(image.path)
            return mine
    own = image.path.with_name(image.path.name.removesuffix(".building") + ".lock")
    shared = image.path.with_name(".lock")
    lock = shared if image.path.parent.name == GUESTS else own
    with _locked(lock) as mine:
        if not mine:
            return False
        shutil.rmtree(image.path)
        if lock == own and not image.path.with_name(own.name.removesuffix(".lock")).exists():
            own.unlink()
    return True


@contextmanager
def _locked(file: Path) -> Iterator[bool]:
    with file.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
