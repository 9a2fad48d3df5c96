# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings an item's file into a new folder; tells what was written, not what is found there later."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from pathlib import Path
from typing import IO, Iterator

from eyrie.agent.converge import manifest
from eyrie.agent.converge.spec import Item
from eyrie.errors import EyrieError


def unpack(item: Item, source: Path, target: Path, room: object = None) -> dict[str, manifest.Entry]:
    """Bring an item's file into a new folder; a zip that reaches out of it is refused as a whole."""
    target.mkdir(parents=True)
    if item.unpack == "none":
        with source.open("rb") as stream:
            return {_file_name(item): _write(stream, target / _file_name(item))}
    try:
        with zipfile.ZipFile(str(source)) as archive:
            for entry in archive.infolist():
                _refuse_escape(item, entry)
            if callable(room):
                room(sum(entry.file_size for entry in archive.infolist()), item)
            return dict(_extracted(archive, target))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise EyrieError(
            f"item {item.name}", seen=str(error), wanted="a zip file", next_step="publish a good one"
        ) from None


def _refuse_escape(item: Item, entry: zipfile.ZipInfo) -> None:
    name = entry.filename.replace("\\", "/")
    parts = name.rstrip("/").split("/")
    strange = any(part in ("", ".", "..") or part.endswith((" ", ".")) or ":" in part for part in parts)
    link = stat.S_ISLNK(entry.external_attr >> 16)
    if strange or link or not name.isprintable() or parts[0] == manifest.FILE:
        raise EyrieError(
            f"item {item.name}: {entry.filename}",
            seen="a link" if link else "a name that leads out of its folder, or that Windows changes",
            wanted="plain files below the item's folder",
            next_step="publish another file; nothing of it was installed",
        )


def _extracted(archive: zipfile.ZipFile, target: Path) -> Iterator[tuple[str, manifest.Entry]]:
    for entry in archive.infolist():
        name = entry.filename.replace("\\", "/").rstrip("/")
        path = target.joinpath(*name.split("/"))
        if entry.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source:
            yield name, _write(source, path)


def _write(source: IO[bytes], path: Path) -> manifest.Entry:
    seen, size = hashlib.sha256(), 0
    with path.open("wb") as out:
        for chunk in iter(lambda: source.read(manifest.CHUNK), b""):
            out.write(chunk)
            seen.update(chunk)
            size += len(chunk)
        out.flush()
        os.fsync(out.fileno())
    return manifest.Entry(size, path.stat().st_mtime_ns, seen.hexdigest())


def _file_name(item: Item) -> str:
    return item.url.rsplit("/", 1)[-1] or item.name
