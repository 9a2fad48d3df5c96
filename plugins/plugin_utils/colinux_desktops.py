# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of coLinux share: a prompt that runs lines, guests of the inventory, steps as a diff."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eyrie.agent.idle.calendar import DAYS, Window, parse_time
from eyrie.errors import EyrieError
from eyrie.guests.colinux.install.program import COMPILER, build
from eyrie.guests.colinux.sources import KEYS, Desktop, read
from eyrie.lab.paths import CACHE
from eyrie.nodetable import Table
from eyrie.nodetable.state import load

PROGRAM = {
    "program": {"type": "path", "default": ""},
    "compiler": {"type": "str", "default": COMPILER},
}
"""How an action has the program that brings files."""


WINDOW = {
    "days": {"type": "list", "elements": "str", "choices": list(DAYS), "required": True},
    "from": {"type": "str", "required": True},
    "to": {"type": "str", "required": True},
}
"""How an action is told of the owner's hours."""
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def window(given: dict[str, Any]) -> Window:
    """Read one of them."""
    for end in ("from", "to"):
        if not _TIME.fullmatch(given[end]):
            raise EyrieError(f"busy_windows: {end}", seen=given[end], wanted="HH:MM, such as 07:00")
    days = frozenset(DAYS.index(day) for day in given["days"])
    return Window(days, parse_time(given["from"]), parse_time(given["to"]))


def program(arguments: dict[str, Any]) -> bytes:
    """Return eyrie-files.exe."""
    if not arguments["program"]:
        return build(CACHE, arguments["compiler"])
    path = Path(arguments["program"])
    if not path.is_file():
        raise EyrieError(
            str(path), seen="no such file", wanted="eyrie-files.exe", next_step="correct program"
        )
    return path.read_bytes()


def guests(hostvars: Any, names: Iterable[str], pool: str, numbers: str) -> dict[str, Desktop]:
    """Return the guests of all desktops: what two of them share is refused."""
    table: Table | None = None
    if numbers and Path(numbers).exists():
        table = load(Path(numbers).read_bytes(), numbers).table
    desktops = {name: _values(hostvars[name]) for name in names}
    return dict(zip(desktops, read(pool, desktops, table), strict=True))


def _values(variables: Any) -> dict[str, Any]:
    return {key: variables[f"colinux_{key}"] for key in sorted(KEYS) if f"colinux_{key}" in variables}


def shown(steps: Iterable[object], host: str) -> dict[str, str]:
    """Return steps as a diff."""
    text = "".join(f"{step}\n" for step in steps)
    return (
        {"before_header": host, "after_header": f"{host}: steps", "before": "", "after": text} if text else {}
    )
