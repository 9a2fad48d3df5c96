# SPDX-License-Identifier: GPL-3.0-or-later
"""The store of images: built under a temporary name, checked against a manifest, shared by all hosts."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab import pc_image, pc_legacy_image, vm_image
from eyrie.lab.model import PC, PC_LEGACY, WINDOWS
from eyrie.lab.processes import Processes
from eyrie.lab.recipes import RECIPES, Recipe, mmdebstrap
from eyrie.lab.windows import recipe as windows

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class ImageStore:
    """Images below one directory, each in a directory named for its recipe's hash."""

    directory: Path

    def path(self, kind: str) -> Path:
        """Return where the image of a kind of host is, or will be."""
        return self.directory / RECIPES[kind].identity

    def is_good(self, kind: str) -> bool:
        """Whether the image is there and exactly as it was built."""
        path = self.path(kind)
        try:
            manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return False
        return isinstance(manifest, dict) and manifest.get("digest") == tree_digest(path)

    def build(self, kind: str, mirror: str, processes: Processes) -> None:
        """Build the image, unless another lab has just done it; a damaged one is replaced."""
        recipe = RECIPES[kind]
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._locked(recipe):
            if self.is_good(kind):
                return
            building = self.directory / f"{recipe.identity}.building"
            _remove(building)  # left by a run that was killed: the lock says that nobody works on it
            building.mkdir()
            self._fill(recipe, building, mirror, processes)
            manifest = {"recipe": recipe.identity, "digest": tree_digest(building)}
            (building / MANIFEST).write_text(json.dumps(manifest) + "\n", encoding="utf-8")
            _refuse_in_use(self.path(kind))
            _remove(self.path(kind))
            building.rename(self.path(kind))

    def _fill(self, recipe: Recipe, building: Path, mirror: str, processes: Processes) -> None:
        root = building / "root"
        environment = {"EYRIE_CUSTOMISE": recipe.customise, "SOURCE_DATE_EPOCH": "0", "LC_ALL": "C.UTF-8"}
        processes.run("work.image", mmdebstrap(recipe, str(root), mirror), environment)
        # Empty lists that look fresh would keep Ansible's apt module (cache_valid_time) from fetching any.
        os.utime(root / "var/lib/apt/lists", (0, 0))
        disks = {"vm": vm_image.make, PC: pc_image.make, PC_LEGACY: pc_legacy_image.make}
        if recipe.kind == WINDOWS:
            windows.add_python(root, self.directory.parent)
        if recipe.kind in disks:
            disks[recipe.kind](root, building, processes)
            _remove(root)

    @contextmanager
    def _locked(self, recipe: Recipe) -> Iterator[None]:
        with (self.directory / f"{recipe.identity}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def tree_digest(top: Path) -> str:
    """Return a hash over names, types, modes, owners and contents below `top`, its manifest left out."""
    digest = hashlib.sha256()
    for directory, names, files in os.walk(top):
        names.sort()
        for name in sorted([*names, *files]):
            path = Path(directory) / name
            relative = path.relative_to(top)
            if str(relative) != MANIFEST:
                digest.update(f"{relative}\0{_entry(path)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _entry(path: Path) -> str:
    info = path.lstat()
    content = ""
    if stat.S_ISREG(info.st_mode):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    elif stat.S_ISLNK(info.st_mode):
        content = str(path.readlink())
    return f"{info.st_mode:o} {info.st_uid}:{info.st_gid} {content}"


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


def _refuse_in_use(path: Path) -> None:
    """Hosts of another lab may stand on the damaged image: taking it from under them would break them."""
    mounts = Path("/proc/mounts").read_text(encoding="utf-8")
    users = [line.split()[1] for line in mounts.splitlines() if f"lowerdir={path}/" in line]
    if users:
        raise EyrieError(
            f"image {path} is damaged and in use",
            seen=", ".join(users),
            wanted="no host on it while it is rebuilt",
            next_step="take those labs down (`eyrie lab down --name NAME`), then try again",
        )
