# SPDX-License-Identifier: GPL-3.0-or-later
"""What converging needs of the agent's other parts on Windows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from eyrie.agent.converge.apply import Place


def data_folder() -> Path:
    """Return the agent's own folder; it outlives upgrades."""
    return Path(os.environ.get("ProgramData", r"C:\ProgramData")) / "Eyrie"  # noqa: SIM112 - Windows' spelling


def windows_place() -> Place:
    """Return where things are on a Windows desktop."""
    return Place(data_folder())


def sessions() -> list[dict[str, Any]]:
    """Return who is logged in."""
    return []


def state() -> str:
    """Return the state that the agent's service tells; `absent` if none answers."""
    return "absent"
