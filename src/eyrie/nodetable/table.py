# SPDX-License-Identifier: GPL-3.0-or-later
"""The node table as a value: which openMosix number stands for which address."""

from __future__ import annotations

import hashlib
import socket
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address
from typing import Final

MAX_ENTRIES: Final = 256  # the kernel's table; ranges and aliases count alike
MAX_NUMBER: Final = 65534


def dotted(address: int) -> str:
    """Write a 32-bit address as four octets."""
    return socket.inet_ntoa(address.to_bytes(4, "big"))


def numeric(address: str) -> int:
    """Read four plain octets as a 32-bit address; ValueError for anything else."""
    try:
        return int.from_bytes(socket.inet_pton(socket.AF_INET, address), "big")
    except (OSError, UnicodeEncodeError):
        raise ValueError(f"{address!r} is not an IPv4 address of four octets") from None


@dataclass(frozen=True)
class Entry:
    """One line: `count` nodes from number `first` at `address` on, or a further address of node `first`.

    setpe takes a COUNT of 0 as an alias, so both spellings are the same value here.
    """

    first: int
    address: str
    count: int
    alias: bool = False
    line: int | None = field(default=None, compare=False)
    text: bytes = field(default=b"", compare=False, repr=False)  # the line as the table has it
    zero: bool = field(default=False, compare=False)  # an alias that the table writes as COUNT 0

    @cached_property
    def start(self) -> int:
        """The first address as a number."""
        return numeric(self.address)

    @property
    def last(self) -> int:
        """The last node number of a range."""
        return self.first + self.count - 1

    @property
    def last_address(self) -> str:
        return dotted(self.start + max(self.count, 1) - 1)

    def __str__(self) -> str:
        return f"{self.first} {self.address} {'alias' if self.alias else self.count}"


@dataclass(frozen=True)
class Table:
    """A node table in the order of its lines; the default is the table of a node that has none."""

    entries: tuple[Entry, ...] = ()

    @cached_property
    def ranges(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if not entry.alias)

    @cached_property
    def aliases(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.alias)

    @property
    def size(self) -> int:
        """How many nodes the table has room for."""
        return sum(entry.count for entry in self.ranges)

    def nodes(self) -> Iterator[tuple[int, IPv4Address]]:
        """Every node, range by range."""
        for entry in self.ranges:
            for offset in range(entry.count):
                yield entry.first + offset, IPv4Address(entry.start + offset)

    def numbers(self) -> Iterator[int]:
        """Every node number, range by range."""
        for entry in self.ranges:
            yield from range(entry.first, entry.last + 1)

    def number_of(self, address: str | IPv4Address) -> int | None:
        """The number of the node at this address; an alias is not the node's own address."""
        wanted = int(IPv4Address(address)) if not isinstance(address, str) else numeric(address)
        entry = _holder(self._by_address, wanted)
        return entry.first + wanted - entry.start if entry else None

    def range_of(self, address: str) -> Entry | None:
        """The range that the node at this address is in."""
        return _holder(self._by_address, numeric(address))

    def address_of(self, number: int) -> str | None:
        """The address of the node with this number."""
        entry = _holder(self._by_number, number)
        return dotted(entry.start + number - entry.first) if entry else None

    @cached_property
    def _by_address(self) -> tuple[list[int], list[Entry]]:
        entries = sorted(self.ranges, key=lambda entry: entry.start)
        return [entry.start for entry in entries], entries

    @cached_property
    def _by_number(self) -> tuple[list[int], list[Entry]]:
        entries = sorted(self.ranges, key=lambda entry: entry.first)
        return [entry.first for entry in entries], entries


def _holder(index: tuple[list[int], list[Entry]], wanted: int) -> Entry | None:
    """The range that holds the number or address, by bisection."""
    starts, entries = index
    place = bisect_right(starts, wanted) - 1
    return entries[place] if place >= 0 and wanted < starts[place] + entries[place].count else None


def render(table: Table) -> str:
    """The text of a table as Eyrie writes it: one line an entry, in the table's order."""
    return "".join(f"{entry}\n" for entry in table.entries)


def digest(table: Table) -> str:
    """SHA-256 of the text with its lines in the order of numbers: the order on a node does not matter."""
    entries = sorted(table.entries, key=lambda entry: (entry.alias, entry.first, entry.start))
    return hashlib.sha256(render(Table(tuple(entries))).encode("ascii")).hexdigest()
