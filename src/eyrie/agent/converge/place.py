# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the agent's own things are on this system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from eyrie.agent.converge.apply import Place

LINUX = Path("/etc/eyrie")


def separator() -> str:
    """Return what stands between the parts of a path here."""
    return os.sep


def this_place() -> Place:
    """Return the place of the system this runs on."""
    if sys.platform == "win32":
        from eyrie.agent.converge.windows_agent import windows_place

        return windows_place()
    return Place(LINUX)
