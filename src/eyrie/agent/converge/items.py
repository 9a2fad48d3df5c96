# SPDX-License-Identifier: GPL-3.0-or-later
"""Items on a desktop's disk: unpacked aside and renamed, so that there is a whole one or none."""

from __future__ import annotations

import errno
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Iterable, Mapping

from eyrie.agent.converge import manifest
from eyrie.agent.converge.spec import Item
from eyrie.errors import EyrieError

SPARE = 64 << 20
"""Bytes that stay free whatever is installed."""

VIRUS = (225, 226)
"""ERROR_VIRUS_INFECTED, ERROR_VIRUS_DELETED: what Windows says of a file that a scanner took."""

_OWN = re.compile(r"[a-z0-9-]+-[0-9a-f]{16}")
_DRAFTS = (".new-", ".old-", ".part-")


class Items:
    """The folder that holds one folder an item."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def damage(self, item: Item) -> dict[str, str] | None:
        """Return what is wrong with an item, file by file; None if it is not there."""
        return manifest.damage(self.root / item.directory)

    def others(self, wanted: Iterable[Item]) -> tuple[str, ...]:
        """Return the folders of items that nobody wants any more, and leftovers of a power cut."""
        keep = {item.directory for item in wanted}
        # A download that was cut short is gone on with; one whose item is whole was only not tidied up.
        keep |= {_part(item).name for item in wanted if self.damage(item) != {}}
        try:
            names = sorted(path.name for path in self.root.iterdir())
        except FileNotFoundError:
            return ()
        return tuple(
            name for name in names if name not in keep and (_OWN.fullmatch(name) or name.startswith(_DRAFTS))
        )

    def install(self, item: Item, ca: str) -> None:
        """Have the item whole; raises EyrieError and leaves no half one."""
        # Mostly nothing is to install, and to load what speaks https takes as long as all the rest.
        from eyrie.agent.converge.download import fetch
        from eyrie.agent.converge.unpack import unpack

        self.root.mkdir(parents=True, exist_ok=True)
        target, draft = self.root / item.directory, self.root / f".new-{item.directory}"
        remove(draft)
        part = self.root / _part(item)
        try:
            self._room(item.size - (part.stat().st_size if part.exists() else 0), item)
            fetch(item, ca, part)
            manifest.write(draft, unpack(item, part, draft, self._room))
            if lost := manifest.damage(draft):
                raise _taken_away(item, target, lost)
            _place(draft, target)
        except OSError as error:
            if isinstance(error, FileNotFoundError) or getattr(error, "winerror", 0) in VIRUS:
                raise _taken_away(item, target, {Path(error.filename or "").name: "taken"}) from None
            raise _disk(item, error) from None
        finally:
            remove(draft)
        part.unlink()
        lost = self.damage(item)
        if lost is None or lost:
            raise _taken_away(item, target, lost or {})

    def prune(self, name: str) -> bool:
        """Remove one folder; False while a program holds a file of it."""
        return remove(self.root / name)

    def _room(self, wanted: int, item: Item) -> None:
        free = shutil.disk_usage(str(self.root)).free
        if free < wanted + SPARE:
            raise EyrieError(
                f"room on the disk for item {item.name}",
                seen=f"{free >> 20} MiB free",
                wanted=f"at least {(wanted + SPARE) >> 20} MiB",
                next_step=f"make room on the disk of {self.root}, then run site.yml again",
            )


def _part(item: Item) -> Path:
    return Path(f".part-{item.directory}")


def _place(draft: Path, target: Path) -> None:
    """Rename a new item into place; a damaged one is repaired file by file, for it may be in use."""
    if not target.exists():
        draft.replace(target)
        return
    entries = manifest.read(draft) or {}
    for name in list(manifest.damage(target) or entries):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (draft / name).replace(target / name)
    # Those that were good keep their time, by which the next look knows them without reading.
    manifest.write(target, _as_placed(target, entries))


def _as_placed(target: Path, entries: Mapping[str, manifest.Entry]) -> dict[str, manifest.Entry]:
    times = {name: (target / name).stat().st_mtime_ns for name in entries}
    return {name: replace(entry, mtime_ns=times[name]) for name, entry in entries.items()}


def remove(path: Path) -> bool:
    """Remove a file or folder, its name first, lest half of it be used; False if it cannot go now."""
    if not path.exists():
        return True
    doomed = path if path.name.startswith(_DRAFTS) else path.with_name(f".old-{path.name}")
    try:
        if doomed != path:
            if doomed.exists():
                remove(doomed)
            path.replace(doomed)
        if doomed.is_dir():
            shutil.rmtree(str(doomed))
        else:
            doomed.unlink()
    except OSError:
        return False
    return True


def _disk(item: Item, error: OSError) -> EyrieError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return EyrieError(
        f"item {item.name}",
        seen="the disk is full" if full else str(error),
        wanted="room for it" if full else "files that can be written and replaced",
        next_step="make room, then run site.yml again"
        if full
        else "if the guest runs from it, run site.yml again while the desktop is out of the pool",
    )


def _taken_away(item: Item, target: Path, lost: dict[str, str]) -> EyrieError:
    told = ", ".join(f"{name} {fault}" for name, fault in sorted(lost.items())[:3]) or "all of it missing"
    return EyrieError(
        f"item {item.name} in {target}",
        seen=f"right after it was installed: {told}",
        wanted="files that stay",
        next_step="most likely an antivirus took them: except this folder from it, then run site.yml again",
    )
