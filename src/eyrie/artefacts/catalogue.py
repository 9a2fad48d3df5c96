# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of third-party files: what they are, and the hash by which each is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from eyrie.errors import EyrieError

CATALOGUE = Path(__file__).resolve().parents[3] / "artefacts.yml"
_TEXTS = ("description", "version", "file", "published", "licence")
_FIELDS = {*_TEXTS, "size", "sha256", "md5", "sums", "for"}
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Artefact:
    """One file; without `sha256` the operator must pin it; `sums` says whose sums they are, if not ours."""

    name: str
    description: str
    version: str
    file: str
    size: int | None
    sha256: str | None
    published: str
    licence: str
    pools: tuple[str, ...]
    md5: str | None = None
    sums: str | None = None


def load(path: Path = CATALOGUE) -> dict[str, Artefact]:
    """Read the catalogue, name -> artefact."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EyrieError(
            f"the catalogue {path}", seen=str(error), wanted="YAML", next_step="restore it from the checkout"
        ) from error
    entries = document.get("artefacts") if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        raise EyrieError(f"the catalogue {path}", wanted="a mapping `artefacts`")
    found = {str(name): _artefact(str(name), entry) for name, entry in entries.items()}
    _refuse_doubles(found.values())
    return found


def for_pool(catalogue: Mapping[str, Artefact], pool: str | None) -> list[Artefact]:
    """Return what a kind of pool needs; everything without one."""
    kinds = sorted({kind for artefact in catalogue.values() for kind in artefact.pools})
    if pool is not None and pool not in kinds:
        raise EyrieError("the kind of pool", seen=pool, wanted=f"one of {', '.join(kinds)}")
    return [artefact for artefact in catalogue.values() if pool is None or pool in artefact.pools]


def _artefact(name: str, entry: Any) -> Artefact:
    where = f"artefact {name}"
    if not _NAME.fullmatch(name):
        raise EyrieError("the name of an artefact", seen=name, wanted="small letters, digits and '_'")
    if not isinstance(entry, dict) or entry.keys() - _FIELDS:
        raise EyrieError(where, seen=entry, wanted=f"a mapping of {', '.join(sorted(_FIELDS))}")
    for field in _TEXTS:
        if not isinstance(entry.get(field), str) or not entry[field]:
            raise EyrieError(f"{where}: {field}", seen=entry.get(field), wanted="text")
    if "/" in entry["file"] or entry["file"].startswith("."):
        raise EyrieError(f"{where}: file", seen=entry["file"], wanted="the name of a file, no path")
    size, pools = entry.get("size"), entry.get("for")
    if not (size is None or (isinstance(size, int) and size > 0)):
        raise EyrieError(f"{where}: size", seen=size, wanted="bytes, or null")
    if not isinstance(pools, list) or not all(isinstance(pool, str) for pool in pools):
        raise EyrieError(f"{where}: for", seen=pools, wanted="a list of kinds of pool")
    texts = {field: entry[field] for field in _TEXTS}
    if not isinstance(sums := entry.get("sums"), str | None):
        raise EyrieError(f"{where}: sums", seen=sums, wanted="who published them, or nothing")
    sha256, md5 = _digest(where, entry, "sha256", 64), _digest(where, entry, "md5", 32)
    return Artefact(name=name, **texts, size=size, sha256=sha256, md5=md5, sums=sums, pools=tuple(pools))


def _digest(where: str, entry: Mapping[str, Any], field: str, length: int) -> str | None:
    value = entry.get(field)
    if value is None or (isinstance(value, str) and re.fullmatch(f"[0-9a-f]{{{length}}}", value)):
        return value
    raise EyrieError(f"{where}: {field}", seen=value, wanted=f"{length} hex digits, or null")


def _refuse_doubles(artefacts: Iterable[Artefact]) -> None:
    seen: dict[str, str] = {}
    for artefact in artefacts:
        for key in (artefact.file.lower(), artefact.sha256):
            if key is None:
                continue
            if key in seen:
                raise EyrieError(f"artefacts {seen[key]} and {artefact.name}", seen=key, wanted="one of them")
            seen[key] = artefact.name
