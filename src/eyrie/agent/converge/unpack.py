# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings an item's file into a new folder."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from pathlib import Path

from eyrie.agent.converge import manifest
from eyrie.agent.converge.spec import Item
from eyrie.errors import EyrieError


def unpack(item: Item, source: Path, target: Path, room: object = None) -> None:
    """Bring an item's file into a new folder; a zip that reaches out of it is refused as a whole."""
    target.mkdir(parents=True)
    if item.unpack == "none":
        shutil.copyfile(str(source), str(target / _file_name(item)))
        _sync(target / _file_name(item))
        return
    try:
        with zipfile.ZipFile(str(source)) as archive:
            for entry in archive.infolist():
                _refuse_escape(item, entry)
            if callable(room):
                room(sum(entry.file_size for entry in archive.infolist()), item)
            for entry in archive.infolist():
                _extract(archive, entry, target)
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


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    path = target.joinpath(*entry.filename.replace("\\", "/").rstrip("/").split("/"))
    if entry.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, path.open("wb") as out:
        shutil.copyfileobj(source, out, manifest.CHUNK)
    _sync(path)


def _file_name(item: Item) -> str:
    return item.url.rsplit("/", 1)[-1] or item.name


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
