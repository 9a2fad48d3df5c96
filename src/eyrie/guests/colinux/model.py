# SPDX-License-Identifier: GPL-3.0-or-later
"""One guest, however its configuration is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["bridge", "ndis", "tap", "slirp"]
KINDS: tuple[Kind, ...] = ("bridge", "ndis", "tap", "slirp")


@dataclass(frozen=True)
class Disk:
    """A block device, which the guest sees as /dev/cobdN."""

    index: int
    path: str
    enabled: bool = True
    alias: str = ""
    """A second name in the guest, such as hda1."""


@dataclass(frozen=True)
class Cofs:
    """A folder of the desktop that the guest may mount, with all rights there."""

    index: int
    path: str
    type: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class Card:
    """A network card."""

    index: int
    kind: Kind
    name: str = ""
    """Of bridge and tap: what names the desktop's adapter. 0.6.1 looks for it in the adapter's description,
    later ones for the connection's name."""

    mac: str = ""
    promisc: bool = True
    redirections: str = ""
    """Of slirp: ports of the desktop that lead to the guest, such as tcp:2222:22/udp:69:69."""


@dataclass(frozen=True)
class Option:
    """A key of an @file that has no meaning for a pool: ttysN, execN, setcobd, cocon, cursor, color."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Guest:
    """A guest."""

    kernel: str
    boot: str = ""
    """The kernel's command line, its words apart by one blank."""

    memory: int | None = None
    """MB; none: a quarter of the desktop's."""

    disks: tuple[Disk, ...] = ()
    cards: tuple[Card, ...] = ()
    initrd: str = ""
    cofs: tuple[Cofs, ...] = ()
    options: tuple[Option, ...] = ()
