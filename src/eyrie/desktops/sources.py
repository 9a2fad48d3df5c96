# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an MSI may come from."""

from __future__ import annotations

import re

WORDS = ("depot", "none")
_URL = re.compile(r"https://[A-Za-z0-9.\[\]:-]+/[A-Za-z0-9._~/-]+")
_PATH = re.compile(r'(\\\\|[A-Za-z]:\\)[^%"<>|?*^&]+\.msi', re.IGNORECASE)


def is_place(source: str) -> bool:
    """Whether a desktop could fetch from there; by http anybody on the way could exchange the file."""
    return bool(_URL.fullmatch(source) or _PATH.fullmatch(source))


def is_source(source: str) -> bool:
    """Whether this is a value of the variable windows_agent_msi_source."""
    return source in WORDS or is_place(source)
