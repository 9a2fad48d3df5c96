# SPDX-License-Identifier: GPL-3.0-or-later
"""The one line that the hub says before the first frame: a desktop that is refused is told why."""

from __future__ import annotations

WELCOME = b"eyrie-hub 1 welcome\n"
REFUSED = b"eyrie-hub 1 refused %s\n"
LONGEST = 200


def verdict(line: bytes) -> str:
    """Return nothing if the line is a welcome, else what it says."""
    if line == WELCOME:
        return ""
    said = line[:LONGEST].decode("ascii", "backslashreplace").strip()
    prefix = "eyrie-hub 1 refused "
    return said[len(prefix) :] if said.startswith(prefix) else f"no hub of this version: {said!r}"
