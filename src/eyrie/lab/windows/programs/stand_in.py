# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stand-ins share: their folder on the desktop, and how they say what they are."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("EYRIE_LAB_FOLDER", "C:/windows/eyrie-lab"))
HELP = ("/?", "-?", "--help", "-help", "--version")


def introduce(name: str, does: str, argv: list[str]) -> bool:
    """Say what this is, if that was asked or nothing was."""
    if argv and argv[0].lower() not in HELP:
        return False
    say(f"{name}: a stand-in of Eyrie's lab, which {does}.")
    return True


def say(text: str = "") -> None:
    """Print a line as Windows ends it."""
    sys.stdout.write(f"{text}\n")


def load(name: str, default: Any) -> Any:
    """Read what a stand-in keeps."""
    try:
        return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return default


def store(name: str, value: Any) -> None:
    """Keep something, whole or not at all."""
    write(f"{name}.json", json.dumps(value, indent=1))


def write(name: str, text: str) -> None:
    """Write a file of the folder in one step."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    new = FOLDER / f"{name}.{os.getpid()}"
    new.write_text(text, encoding="utf-8")
    new.replace(FOLDER / name)
