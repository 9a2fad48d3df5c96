# SPDX-License-Identifier: GPL-3.0-or-later
"""A real pseudo-terminal, under a name in a /dev of the test's own."""

from __future__ import annotations

import os
import time
from pathlib import Path

LONG_AGO = 1000.0


class Pty:
    """A terminal with a keyboard (the master end) and a reader (the slave end)."""

    def __init__(self, dev: Path) -> None:
        self.keyboard, self.reader = os.openpty()
        self.path = Path(os.ttyname(self.reader))
        self.name = dev / "pts" / self.path.name
        self.name.symlink_to(self.path)
        self.rest()

    def rest(self) -> None:
        """Make the last use lie long back, as the kernel would show it."""
        past = time.time() - LONG_AGO
        os.utime(self.path, (past, past))

    def type(self) -> None:
        """Press a key that a program reads."""
        os.write(self.keyboard, b"x\n")
        assert os.read(self.reader, 10) == b"x\n"

    def show(self) -> None:
        """Write on the screen, as a long running program does."""
        os.write(self.reader, b"output\n")

    def close(self) -> None:
        os.close(self.keyboard)
        os.close(self.reader)
