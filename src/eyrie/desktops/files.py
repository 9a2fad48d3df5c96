# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that Windows desktops install, made on the control host and kept in its cache."""

from __future__ import annotations

import fcntl
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from eyrie import __version__
from eyrie.artefacts.file_set import digest
from eyrie.artefacts.windows_files import PYTHON, windows_python, windows_qemu
from eyrie.guests.image.recipe import GuestImage
from eyrie.msi import build as msi
from eyrie.msi.model import Package
from eyrie.msi.version import parse

CACHE = Path("/var/cache/eyrie")
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class File:
    """A file to publish."""

    path: str
    sha256: str
    size: int

    @property
    def published(self) -> str:
        """Return its name in a depot."""
        return self.sha256 + Path(self.path).suffix


@dataclass(frozen=True)
class Msi:
    """The agent's package."""

    file: File
    version: str
    release: str
    product_code: str


def agent_msi(cache: Path = CACHE, python: str = PYTHON, url: str = "") -> Msi:
    """Return the agent's MSI, built where the cache has not got this very one."""
    version = parse(__version__)
    package = msi.package(version, msi.read_python(windows_python(cache, python)), msi.agent_bundle(), url)
    path = cache / "windows" / "items" / f"eyrie-agent-{package.release}.msi"
    file = _kept(path, lambda draft: _built(package, draft))
    return Msi(file, str(version), package.release, package.product_code)


def _built(package: Package, draft: Path) -> None:
    msi.build(package, draft)


def qemu_zip(cache: Path = CACHE) -> File:
    """Return QEMU for Windows as a zip file."""
    folder = windows_qemu(cache)
    return _kept(cache / "windows" / "items" / f"{folder.name}.zip", lambda draft: _zip(folder, draft))


def image_zip(image: GuestImage, cache: Path = CACHE) -> File:
    """Return a guest image as a zip file."""
    path = cache / "windows" / "items" / f"guest-image-{image.image_id}.zip"
    return _kept(path, lambda draft: _zip(image.directory, draft))


def _kept(path: Path, make: Callable[[Path], None]) -> File:
    """Return the file of this name, made once; its hash is kept beside it, believed while its size fits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    note = path.with_name(f"{path.name}.json")
    with _locked(path.with_name(f".{path.name}.lock")):
        known = _noted(note, path)
        if known is not None:
            return known
        draft = path.with_name(f".new-{path.name}")
        make(draft)
        file = File(str(path), digest(draft), draft.stat().st_size)
        draft.replace(path)
        note.write_text(json.dumps(asdict(file)), encoding="utf-8")
        return file


def _noted(note: Path, path: Path) -> File | None:
    try:
        file = File(**json.loads(note.read_text(encoding="utf-8")))
        return file if file.path == str(path) and path.stat().st_size == file.size else None
    except (OSError, ValueError, TypeError):
        return None


def _zip(folder: Path, target: Path) -> None:
    """Pack a folder; names, order and times are always the same."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
