# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals as something the loop can wait for."""

from __future__ import annotations

import os
import signal
from types import FrameType

TAKEN = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Collects signals; the descriptor is readable when one has come."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._arrived: list[str] = []
        self._before = {number: signal.signal(number, self._note) for number in TAKEN}
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._arrived.append(signal.Signals(number).name)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._read

    def take(self) -> list[str]:
        """Return the names of the signals since the last call."""
        try:
            os.read(self._read, 512)
        except BlockingIOError:
            return []
        arrived, self._arrived = self._arrived, []
        return arrived

    def close(self) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)
