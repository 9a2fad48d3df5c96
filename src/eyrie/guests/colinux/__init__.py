# SPDX-License-Identifier: GPL-3.0-or-later
"""Cooperative Linux guests of 32-bit Windows desktops: their configuration, and what is looked at before.

`model` is one guest, `xml_format` (0.6.x) and `at_format` (0.7.x) read and write it, `refuse` tells what
cannot work, `sources` makes guests of an inventory, `preflight` judges a desktop. None does I/O.
"""

from eyrie.guests.colinux.files import Checked, check, parse, render
from eyrie.guests.colinux.model import Card, Cofs, Disk, Guest, Kind, Option
from eyrie.guests.colinux.refuse import faults
from eyrie.guests.colinux.release import Release

__all__ = [
    "Card",
    "Checked",
    "Cofs",
    "Disk",
    "Guest",
    "Kind",
    "Option",
    "Release",
    "check",
    "faults",
    "parse",
    "render",
]
