# SPDX-License-Identifier: GPL-3.0-or-later
"""The depot: the operator's copies of third-party files, each taken only with the hash it is known by."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from eyrie.artefacts.catalogue import Artefact
from eyrie.artefacts.file_set import digest
from eyrie.errors import EyrieError

VARIABLE = "EYRIE_DEPOT"
DEFAULT = Path("/var/lib/eyrie/depot")
_PINS = "pins.json"


def depot_root() -> Path:
    """Return the depot's folder."""
    return Path(os.environ.get(VARIABLE) or DEFAULT)


@dataclass(frozen=True)
class Taken:
    """What became of one file: `added`, `there` (already), or refused with a reason."""

    path: Path
    artefact: str
    outcome: str
    error: EyrieError | None = None


class Depot:
    """Files by hash under `root`, as `SHA-256/NAME`."""

    def __init__(self, root: Path, catalogue: Mapping[str, Artefact]) -> None:
        self.root = root
        self._published = dict(catalogue)
        self.catalogue = {name: self._with_pin(artefact) for name, artefact in catalogue.items()}

    def add(self, path: Path) -> list[Taken]:
        """Take a file, or all of a folder's files that the catalogue knows by name or hash."""
        if path.is_dir():
            taken = [each for file in _files(path) if (each := self._take(file)) is not None]
            if not taken:
                raise EyrieError(str(path), seen="no file of the catalogue", wanted=self._wanted())
            return taken
        if not path.is_file():
            raise EyrieError(str(path), seen="no such file", wanted="a file or a folder")
        one = self._take(path)
        if one is None:
            raise EyrieError(str(path), seen=f"SHA-256 {digest(path)}, of no artefact", wanted=self._wanted())
        return [one]

    def pin(self, name: str, path: Path) -> Taken:
        """Record that this file is the artefact that nobody else has vouched for, and take it."""
        artefact = self._published.get(name)
        if artefact is None:
            raise _unknown(name, self.catalogue)
        if artefact.sha256 is not None:
            raise EyrieError(
                f"artefact {name}",
                seen="its hash is in the catalogue",
                wanted="one without a hash to pin",
                next_step=f"eyrie depot add {path}",
            )
        if not path.is_file():
            raise EyrieError(str(path), seen="no such file", wanted=f"the operator's {artefact.file}")
        pinned = replace(artefact, sha256=digest(path), size=path.stat().st_size)
        self._check_weak_sums(artefact, path)
        self._install(pinned, path)
        _write(self.root / _PINS, json.dumps({**self._pins(), name: pinned.sha256}, indent=1).encode())
        self.catalogue[name] = pinned
        return Taken(path, name, "added")

    def path(self, name: str) -> Path:
        """Return a file of the depot, whose hash was right just now."""
        artefact = self.catalogue.get(name)
        if artefact is None:
            raise _unknown(name, self.catalogue)
        if artefact.sha256 is None:
            raise _unpinned(artefact)
        place = self._place(artefact)
        if not place.is_file():
            raise EyrieError(
                f"artefact {name} ({artefact.file} {artefact.version})",
                seen=f"not in the depot {self.root}",
                wanted=f"SHA-256 {artefact.sha256}, published by {artefact.published}",
                next_step="eyrie depot add FILE",
            )
        if (seen := digest(place)) != artefact.sha256:
            raise _wrong_hash(place, artefact, seen)
        return place

    def has(self, name: str) -> bool:
        """Whether the artefact is there; `verify` looks at its content."""
        artefact = self.catalogue[name]
        return artefact.sha256 is not None and self._place(artefact).is_file()

    def missing(self, artefacts: Iterable[Artefact]) -> list[Artefact]:
        """Return those of `artefacts` that are not there."""
        return [self.catalogue[each.name] for each in artefacts if not self.has(each.name)]

    def verify(self) -> list[EyrieError]:
        """Read every file that is there and return what is wrong with them."""
        faults = []
        for name in self.catalogue:
            if self.has(name):
                try:
                    self.path(name)
                except EyrieError as error:
                    faults.append(error)
        return faults

    def _take(self, path: Path) -> Taken | None:
        """Take one file if the catalogue knows it."""
        size = path.stat().st_size
        named = [each for each in self.catalogue.values() if each.file.lower() == path.name.lower()]
        sized = [each for each in self.catalogue.values() if each.sha256 and each.size in (size, None)]
        if not named and not sized:
            return None
        seen = digest(path)
        for artefact in sized:
            if artefact.sha256 == seen:
                return Taken(path, artefact.name, "added" if self._install(artefact, path) else "there")
        if not named:
            return None
        (artefact,) = named
        error = _wrong_hash(path, artefact, seen) if artefact.sha256 else _unpinned(artefact, path)
        return Taken(path, artefact.name, "refused", error)

    def _install(self, artefact: Artefact, source: Path) -> bool:
        """Copy a file into the depot, whole or not at all; proven by reading the copy back."""
        place = self._place(artefact)
        if place.is_file() and digest(place) == artefact.sha256:
            return False
        try:
            place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".new-", dir=place.parent)
            os.close(handle)
            try:
                shutil.copyfile(source, name)
                if (seen := digest(Path(name))) != artefact.sha256:
                    raise _wrong_hash(source, artefact, seen)
                Path(name).chmod(0o644)
                Path(name).replace(place)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(self.root, error) from error
        return True

    def _place(self, artefact: Artefact) -> Path:
        assert artefact.sha256
        return self.root / artefact.sha256 / artefact.file

    def _with_pin(self, artefact: Artefact) -> Artefact:
        return artefact if artefact.sha256 else replace(artefact, sha256=self._pins().get(artefact.name))

    def _pins(self) -> dict[str, str]:
        try:
            pins = json.loads((self.root / _PINS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise EyrieError(
                str(self.root / _PINS), seen=str(error), wanted="what eyrie depot pin wrote"
            ) from error
        return {str(name): str(value) for name, value in pins.items()}

    def _check_weak_sums(self, artefact: Artefact, path: Path) -> None:
        """Find a wrong file by what is known of the right one; neither proves that it is the right one."""
        if artefact.size not in (None, size := path.stat().st_size):
            raise EyrieError(
                str(path), seen=f"{size} bytes", wanted=f"{artefact.size} bytes, as {artefact.name} has"
            )
        if artefact.md5 is None:
            return
        with path.open("rb") as stream:
            seen = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if seen != artefact.md5:
            raise EyrieError(str(path), seen=f"MD5 {seen}", wanted=f"{artefact.md5}, as {artefact.name} has")

    def _wanted(self) -> str:
        return "one of " + ", ".join(f"{each.file} {each.version}" for each in self.catalogue.values())


def _files(folder: Path) -> Iterator[Path]:
    """Yield the plain files below a folder, in an order that is always the same."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place) / name for name in sorted(names) if (Path(place) / name).is_file())


def _write(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_bytes(content)
        new.replace(path)
    except OSError as error:
        raise _unwritable(path.parent, error) from error


def _unwritable(root: Path, error: OSError) -> EyrieError:
    return EyrieError(
        f"the depot {root}",
        seen=error.strerror,
        wanted="a folder to write in",
        next_step=f"be root, or set {VARIABLE} or --depot",
    )


def _unknown(name: str, catalogue: Iterable[str]) -> EyrieError:
    return EyrieError("the name of an artefact", seen=name, wanted=f"one of {', '.join(catalogue)}")


def _unpinned(artefact: Artefact, path: Path | None = None) -> EyrieError:
    return EyrieError(
        f"artefact {artefact.name} ({artefact.file} {artefact.version})",
        seen="unverified: nobody of the project has seen this file",
        wanted="a hash that the operator vouches for",
        next_step=f"eyrie depot pin {artefact.name} {path or 'FILE'}",
    )


def _wrong_hash(path: Path, artefact: Artefact, seen: str) -> EyrieError:
    return EyrieError(
        f"{path} is not {artefact.name} {artefact.version}",
        seen=f"SHA-256 {seen}",
        wanted=f"SHA-256 {artefact.sha256}",
        next_step=f"get it again: {artefact.published}",
    )
