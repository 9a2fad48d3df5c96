# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and unusual addresses, as gethostbyname and inet_addr of a node's C library (2.3.2) take them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from eyrie.nodetable.table import numeric

Lookup = Callable[[str], "str | None"]  # a name to its IPv4 address, or to None

_PARTS = (0xFFFFFFFF, 0xFFFFFF, 0xFFFF, 0xFF)  # the last part fills the rest of the address
_HEX = re.compile(rb"0[xX]([0-9a-fA-F]+)")
_OCTAL = re.compile(rb"0[0-7]*")
_DECIMAL = re.compile(rb"[1-9][0-9]*")
_NUMERIC = re.compile(rb"[0-9][0-9.]*")


def no_names(_name: str) -> str | None:
    """The lookup of a node whose /etc/hosts is empty, as the genuine image ships it."""
    return None


def hosts_lookup(names: Mapping[str, str]) -> Lookup:
    """Look names up as in a hosts file, in which case does not matter."""
    known = {name.lower(): address for name, address in names.items()}
    return lambda name: known.get(name.lower())


def resolve(name: bytes, lookup: Lookup = no_names) -> int | None:
    """gethostbyname, and inet_addr where that finds nothing; None: unknown host."""
    if _NUMERIC.fullmatch(name) and not name.endswith(b"."):
        return inet_aton(name)
    if b":" not in name and (found := lookup(name.decode("utf-8", "surrogateescape"))):
        return numeric(found)
    address = inet_aton(name)
    if address is None or address == 0xFFFFFFFF:
        return None
    # setpe forgets to turn what inet_addr gives it: 0x0a.1 stands for 1.0.0.10.
    return int.from_bytes(address.to_bytes(4, "little"), "big")


def inet_aton(text: bytes) -> int | None:
    """Up to four parts, each decimal, octal (0...) or hexadecimal (0x...)."""
    parts = [_part(part) for part in text.split(b".")]
    if len(parts) > 4:
        return None
    address = 0
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        if part is None or part > (_PARTS[place] if last else 0xFF):
            return None
        address |= part << (0 if last else 24 - 8 * place)
    return address


def _part(text: bytes) -> int | None:
    if match := _HEX.fullmatch(text):
        return int(match[1], 16)
    if _OCTAL.fullmatch(text):
        return int(text, 8)
    return int(text) if _DECIMAL.fullmatch(text) else None
