# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a kernel gave up, from what its console said. Pure."""

from __future__ import annotations

import re

_REASON = re.compile(
    r"(Kernel panic|BUG:|Oops|Unable to mount root|No working init|end Kernel panic)", re.IGNORECASE
)
# Not the line behind it, which says "end Kernel panic".
_PANIC = re.compile(r"(?<!end )Kernel panic", re.IGNORECASE)
_LONGEST = 200


def reason(text: str) -> str:
    """Return the console's first complaint, and the panic that it led to; nothing if it had none."""
    complaints = [line for line in _lines(text) if _REASON.search(line)]
    panics = [line for line in complaints if _PANIC.search(line)]
    return " ... ".join(dict.fromkeys(complaints[:1] + panics[:1]))


def last(text: str) -> str:
    """Return what it said last, for a kernel that stands still."""
    return ["", *_lines(text)][-1]


def _lines(text: str) -> list[str]:
    plain = (re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line).strip() for line in text.splitlines())
    return [line[:_LONGEST] for line in plain if line]
