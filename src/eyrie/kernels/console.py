# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a kernel gave up, from what its console said. Pure."""

from __future__ import annotations

import re

_REASON = re.compile(
    r"(Kernel panic|BUG:|Oops|Unable to mount root|No working init|end Kernel panic)", re.IGNORECASE
)
_LONGEST = 200


def reason(text: str) -> str:
    """Return the console's first complaint, else its last line; nothing if it said nothing."""
    lines = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line).strip() for line in text.splitlines()]
    said = [line for line in lines if line]
    complaints = [line for line in said if _REASON.search(line)]
    return (complaints or said[-1:] or [""])[0][:_LONGEST]
