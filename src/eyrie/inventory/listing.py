# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what `ansible-inventory --list` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def members(listing: Mapping[str, Any], group: str) -> list[str]:
    """Return the hosts of a group and of the groups below it, sorted, each once."""
    found: set[str] = set()
    seen: set[str] = set()
    groups = [group]
    while groups:
        name = groups.pop()
        if name in seen:
            continue
        seen.add(name)
        value = listing.get(name, {})
        found.update(value.get("hosts", ()))
        groups += value.get("children", ())
    return sorted(found)
