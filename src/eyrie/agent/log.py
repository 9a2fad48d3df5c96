# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines for the system's journal: plain text on stderr, with the priority systemd understands in front."""

from __future__ import annotations

import os
import sys
from typing import Callable

NOTICE, WARNING, ERROR = 5, 4, 3
_sinks: list[Callable[[str, int], None]] = []


def log(text: str, priority: int = NOTICE) -> None:
    """Write one line; a journal that cannot be written is no reason to hold up the desktop."""
    prefix = f"<{priority}>" if os.environ.get("JOURNAL_STREAM") else ""
    line = " ".join(text.split())
    for sink in _sinks:
        sink(line, priority)
    if sys.stderr is None:  # a Windows program without a console
        return
    try:
        sys.stderr.write(f"{prefix}{line}\n")
        sys.stderr.flush()
    except OSError:
        return


def also(sink: Callable[[str, int], None]) -> None:
    """Hand every line to `sink` as well; it never raises."""
    _sinks.append(sink)
