# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of built kernels on the control host: one build at a time, and the last of each release stay."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from eyrie.kernels.recipe import Recipe

KEPT = 3


def archive(folder: Path, recipe: Recipe) -> Path:
    """Return where the kernel of a recipe is, or will be."""
    return folder / f"kernel-{recipe.release}-{recipe.identity}.tar"


@contextmanager
def one_build(folder: Path, waits: Callable[[], None]) -> Iterator[None]:
    """Hold the folder: whoever builds as well waits, for builds share the toolchain, and perhaps the tree.

    The lock ends with the process that holds it, however it ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waits()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def use(kernel: Path) -> None:
    """Note that a kernel is in use, so that it is not among those that go."""
    os.utime(kernel)


def prune(folder: Path, release: str, kept: int = KEPT) -> list[str]:
    """Remove all kernels of a release but those used last; tell which."""
    identity = "[0-9a-f]" * 16
    found = sorted(folder.glob(f"kernel-{release}-{identity}.tar"), key=lambda path: -path.stat().st_mtime)
    for path in found[kept:]:
        path.unlink(missing_ok=True)
    return [path.name for path in found[kept:]]
