# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which cached images go. Pure: knows neither disks nor labs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cached:
    """One image of a cache, or what a build that was ended left of one."""

    path: Path
    size: int  # in bytes, as the disk counts them
    changed: float  # seconds since 1970
    needed: str = ""  # why it has to stay
    finished: bool = True


def plan(images: Iterable[Cached], keep: int = 0) -> tuple[Cached, ...]:
    """Return what goes, the oldest first; beside what is needed, each cache keeps its `keep` newest."""
    spare = sorted((each for each in images if not each.needed), key=lambda each: each.changed)
    kept = {
        image
        for folder in {each.path.parent for each in spare}
        for image in _newest([each for each in spare if each.finished and each.path.parent == folder], keep)
    }
    return tuple(each for each in spare if each not in kept)


def _newest(images: list[Cached], count: int) -> list[Cached]:
    return images[len(images) - min(count, len(images)) :]


def amount(size: int) -> str:
    """Write a size for people."""
    return f"{size / (1 << 20):.1f} MiB"
