# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases of Cooperative Linux, and what each can do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from eyrie.errors import EyrieError

Format = Literal["xml", "at"]
Feature = Literal[
    "initrd",
    "cofs",
    "slirp",
    "promisc",
    "redir",
    "pae",
    "relative",
    "bom",
    "tap0801co",
    "vista",
    "4g",
    "ndis",
]

SINCE: dict[Feature, tuple[int, int, int]] = {
    "initrd": (0, 6, 2),
    "cofs": (0, 6, 2),
    "slirp": (0, 6, 2),
    "promisc": (0, 6, 2),
    "redir": (0, 6, 2),
    "pae": (0, 6, 2),
    "tap0801co": (0, 6, 2),
    "relative": (0, 6, 4),
    "bom": (0, 6, 4),
    "vista": (0, 7, 1),
    "4g": (0, 7, 3),
    "ndis": (0, 7, 4),
}
"""The first release with each: its NEWS, and src/colinux/user/config.c of 0.6.1 and 0.6.4."""

_FIRST = {6: 1, 7: 1}
_LAST = {6: 4, 7: 9}
_MEMORY = {6: 512, 7: 984}


@dataclass(frozen=True, order=True)
class Release:
    """One release; compared by its number."""

    number: tuple[int, int, int]

    @classmethod
    def of(cls, text: str) -> Release:
        """Read such as 0.6.1."""
        match = re.fullmatch(r"0\.([67])\.(\d)", text)
        if match is None or not _FIRST[int(match[1])] <= int(match[2]) <= _LAST[int(match[1])]:
            raise EyrieError(
                "release of coLinux",
                seen=text,
                wanted="0.6.1 to 0.6.4 (XML) or 0.7.1 to 0.7.9 (@file)",
                next_step="openMosix guests (kernel 2.4) need 0.6.1",
            )
        return cls((0, int(match[1]), int(match[2])))

    def __str__(self) -> str:
        return ".".join(map(str, self.number))

    @property
    def format(self) -> Format:
        """How its configuration is written."""
        return "xml" if self.number[1] == 6 else "at"

    @property
    def most_memory(self) -> int:
        """The most MB that one guest gets (src/colinux/kernel/monitor.c)."""
        # What 0.6.3 takes was not seen; what 0.6.2 takes is safe.
        return 1000 if self.number == (0, 6, 4) else _MEMORY[self.number[1]]

    @property
    def most_guests(self) -> int:
        """How many guests one desktop bears (common_base.h)."""
        return 16 if self.number[1] == 6 else 64

    def has(self, feature: Feature) -> bool:
        """Whether it can do that."""
        return self.number >= SINCE[feature]


USUAL: dict[Format, Release] = {"xml": Release((0, 6, 1)), "at": Release((0, 7, 9))}
"""What a file is judged for if nobody says: the last with a 2.4 kernel, and the last of all."""
