# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest image is made from, where it is kept, and the manifest that gives it its identity."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from eyrie.artefacts.file_set import digest as file_digest
from eyrie.errors import EyrieError
from eyrie.guests.image.packages import ARCHITECTURE, SUITE

ARTEFACTS = ("vmlinuz", "initramfs.cpio.zst", "root.squashfs")
MANIFEST = "manifest.json"
DEFAULT_EPOCH = 1_735_689_600  # 1 January 2025: any fixed date does
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")


@dataclass(frozen=True)
class Recipe:
    """The inputs of an image, all but the versions the mirror has today."""

    packages: tuple[str, ...] = ()  # beside the engine
    epoch: int = DEFAULT_EPOCH
    overlay: Path | None = None  # further files laid over the root; tests look inside the guest with it

    def __post_init__(self) -> None:
        for name in self.packages:
            if not _PACKAGE.fullmatch(name):
                raise EyrieError(
                    "package of the guest image", seen=name, wanted="the name of a Debian package"
                )
        object.__setattr__(self, "packages", tuple(sorted(set(self.packages))))

    def hash(self) -> str:
        """Return the key this image has in the cache."""
        ours = files("eyrie.guests.image")
        sources = [each for folder in (ours, ours / "data") for each in folder.iterdir() if each.is_file()]
        inputs: list[Any] = [ARCHITECTURE, SUITE, self.packages, self.epoch]
        inputs += [
            [each.name, _digest(each.read_bytes())] for each in sorted(sources, key=lambda each: each.name)
        ]
        if self.overlay:
            inputs += [
                [str(path), _digest(path.read_bytes())]
                for path in sorted(self.overlay.rglob("*"))
                if path.is_file()
            ]
        return _digest(json.dumps(inputs).encode())


@dataclass(frozen=True)
class GuestImage:
    """A finished image: four files in one folder, named by the hash of its manifest."""

    directory: Path
    image_id: str
    manifest: Mapping[str, Any]


def epoch_from_environment() -> int:
    """Honour SOURCE_DATE_EPOCH (reproducible-builds.org)."""
    text = os.environ.get("SOURCE_DATE_EPOCH", str(DEFAULT_EPOCH))
    if not text.isdigit() or int(text) >= 1 << 32:
        raise EyrieError("SOURCE_DATE_EPOCH", seen=text, wanted="seconds since 1970, below 2^32")
    return int(text)


def cache_root() -> Path:
    """Return the folder of all Eyrie's caches."""
    return Path(os.environ.get("EYRIE_CACHE") or "/var/cache/eyrie")


def write_manifest(
    directory: Path, kernel: str, requested: tuple[str, ...], versions: Mapping[str, str]
) -> None:
    """Describe the artefacts in `directory`; nothing in it depends on when or where they were made."""
    manifest = {
        "version": 1,
        "architecture": ARCHITECTURE,
        "suite": SUITE,
        "kernel": kernel,
        "requested": list(requested),
        "packages": dict(sorted(versions.items())),
        "artefacts": {
            name: {"sha256": file_digest(directory / name), "size": (directory / name).stat().st_size}
            for name in ARTEFACTS
        },
    }
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="ascii")


def read_image(directory: Path) -> GuestImage:
    """Read an image, comparing each artefact with the manifest; raises EyrieError at a difference."""
    try:
        text = (directory / MANIFEST).read_bytes()
        manifest = json.loads(text)
        artefacts = {name: manifest["artefacts"][name]["sha256"] for name in ARTEFACTS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EyrieError(
            f"guest image {directory}", seen=repr(error), wanted=MANIFEST, next_step="run `eyrie guest build`"
        ) from error
    for name, digest in artefacts.items():
        found = file_digest(directory / name) if (directory / name).is_file() else "no such file"
        if found != digest:
            raise EyrieError(
                f"guest image file {directory / name}",
                seen=found,
                wanted=digest,
                next_step="run `eyrie guest build`",
            )
    return GuestImage(directory, _digest(text), manifest)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
