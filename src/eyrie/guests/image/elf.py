# SPDX-License-Identifier: GPL-3.0-or-later
"""Which shared libraries programs need, read from the programs themselves."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from eyrie.errors import EyrieError
from eyrie.guests.image.unpack import merged

# Where Debian's dynamic loader looks by itself; no ld.so.cache is needed for these.
_LOADER_PATH = ("usr/lib/x86_64-linux-gnu", "usr/lib")


def is_elf(file: Path) -> bool:
    """Tell an ELF file by its first bytes."""
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def library_closure(programs: Iterable[Path], tree: Path) -> set[Path]:
    """Return the libraries (and the loader) that `programs` need, as files of `tree`, links included."""
    found: set[Path] = set()
    todo = [(program, program) for program in programs]
    while todo:
        user, file = todo.pop()
        needed, search, loader = _dynamic(file)
        if loader:
            found |= _links(tree / merged(loader.lstrip("/")), tree)
        for name in needed:
            library = next((each for each in _candidates(name, search, file, tree) if each.exists()), None)
            if library is None:
                raise EyrieError(
                    "guest image",
                    seen=f"{user.relative_to(tree)} needs {name}, which no package of the image brings",
                    wanted="every library of every program",
                    next_step="add the package that has it with --package",
                )
            if library not in found:
                found |= _links(library, tree)
                todo.append((user, library))
    return found


def _dynamic(file: Path) -> tuple[list[str], list[str], str]:
    """Return DT_NEEDED, the run path and the loader's path of one ELF file."""
    needed, search, loader = [], [], ""
    with file.open("rb") as stream:
        for segment in ELFFile(stream).iter_segments():
            if isinstance(segment, InterpSegment):
                loader = segment.get_interp_name()
            if isinstance(segment, DynamicSegment):
                tags: Any = segment.iter_tags()  # each has an attribute named by its kind
                for tag in tags:
                    if tag.entry.d_tag == "DT_NEEDED":
                        needed.append(tag.needed)
                    elif tag.entry.d_tag == "DT_RUNPATH":
                        search += tag.runpath.split(":")
                    elif tag.entry.d_tag == "DT_RPATH":
                        search += tag.rpath.split(":")
    return needed, search, loader


def _candidates(name: str, search: list[str], user: Path, tree: Path) -> Iterable[Path]:
    for path in search:
        if path.startswith("$ORIGIN"):
            yield Path(os.path.normpath(f"{user.parent}{path[len('$ORIGIN') :]}")) / name
        else:
            yield tree / path.lstrip("/") / name
    for path in _LOADER_PATH:
        yield tree / path / name


def _links(file: Path, tree: Path) -> set[Path]:
    """Return `file` and, where it is a link, what it leads to within the tree."""
    chain = {file}
    while file.is_symlink():
        target = Path(file.readlink())
        file = (
            tree / str(target).lstrip("/")
            if target.is_absolute()
            else Path(os.path.normpath(file.parent / target))
        )
        chain.add(file)
    return chain
