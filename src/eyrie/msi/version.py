# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions as Windows Installer compares them: three numbers, and nothing after them counts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from eyrie.errors import EyrieError

_FORM = re.compile(r"(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})")
_LIMITS = (255, 255, 65535)


@dataclass(frozen=True, order=True)
class MsiVersion:
    """A ProductVersion; their order decides what is an upgrade and what a downgrade."""

    major: int
    minor: int
    build: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}"


def parse(text: str) -> MsiVersion:
    """Read a version; a fourth number or a suffix is refused, since Windows would not see it."""
    match = _FORM.fullmatch(text)
    fields = tuple(int(field) for field in match.groups()) if match else ()
    if not fields or any(field > limit for field, limit in zip(fields, _LIMITS, strict=True)):
        raise EyrieError(
            "the version of the MSI",
            seen=text,
            wanted="three numbers such as 1.4.2, at most 255.255.65535",
            next_step="give one with --version",
        )
    return MsiVersion(*fields)
