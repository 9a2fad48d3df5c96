# SPDX-License-Identifier: GPL-3.0-or-later
"""One change of a lab at a time: a lock on the lab's own directory, which vanishes with it.

The programs that a change runs hold the lock too (commands.py, launch.py): if the change itself is killed,
the next one waits until they have ended, or have left a record of themselves.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eyrie.errors import EyrieError

PATIENCE_SECONDS = 30.0


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lock; the directory is made if need be."""
    descriptor = _acquire(directory, time.monotonic() + PATIENCE_SECONDS)
    try:
        yield
    finally:
        os.close(descriptor)


def _acquire(directory: Path, deadline: float) -> int:
    while True:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held the lock may have removed the directory: then this lock is on nothing.
            if directory.exists() and directory.stat().st_ino == os.fstat(descriptor).st_ino:
                os.set_inheritable(descriptor, True)
                return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise EyrieError(
                    f"lab in {directory} is being changed by another command",
                    wanted="one change at a time",
                    next_step="wait for it, or end it, then try again",
                ) from None
            time.sleep(0.2)
        os.close(descriptor)
