# SPDX-License-Identifier: GPL-3.0-or-later
"""What setpe checks once it has read every line: in its order, with its 32-bit arithmetic."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from eyrie.nodetable.scan import HIGHEST, WORD, Fault, Row
from eyrie.nodetable.table import MAX_NUMBER, dotted


def signed(value: int) -> int:
    """A sum as a 32-bit int holds it."""
    return ((value + HIGHEST + 1) & WORD) - HIGHEST - 1


def fault_of(rows: Sequence[Row], own: int | None) -> Fault | None:
    """The first fault that setpe reports on the node with this address, or on any in the table."""
    if not rows:
        return Fault(b"setpe: the table is empty.")
    number = None
    if own is not None:
        holder = _holder(rows, own)
        if isinstance(holder, Fault):
            return holder
        number = signed(own + holder.first - holder.address)
        if fault := _number_fault(number, holder):
            return fault
    # A sound table is known as one without 256 x 256 steps.
    return None if _sound(rows) else next(_faults(rows), None) or _absence(rows, number)


def _holder(rows: Sequence[Row], own: int) -> Row | Fault:
    """The first range that holds the address which setpe takes for its own."""
    for row in rows:
        if row.address <= own < (row.address + row.nodes) & WORD:
            return row
    message = "setpe: the supplied table is well-formatted,\nbut my IP address ({}) is not there!"
    return Fault(message.format(dotted(own)).encode(), hint="no range holds it; an alias does not count")


def _number_fault(number: int, row: Row) -> Fault | None:
    if number <= 0:
        return _fault("My node number < 1 ???", row, hint=f"the own number is {number}")
    if number > MAX_NUMBER:
        message = f"This node number is larger thanthe maximum ({MAX_NUMBER})"
        return _fault(message, row, hint=f"the own number is {number}")
    return None


def _absence(rows: Sequence[Row], number: int | None) -> Fault | None:
    """Numbers past the largest int pass setpe's other checks, and then nobody has them."""
    spans = [(row.first, signed(row.first + row.nodes)) for row in rows if row.nodes]
    past = [row for row in rows if row.nodes and row.first + row.nodes > HIGHEST]
    for absent in (row.first for row in past) if number is None else (number,):
        if not any(first <= absent < end for first, end in spans):
            hint = "its numbers go past 2147483647"
            about = next(row for row in past if number is not None or row.first == absent)
            return _number_fault(absent, about) or _fault(
                "the table is ok, but I'm not there!", about, hint=hint
            )
    return None


def _sound(rows: Sequence[Row]) -> bool:
    """Whether nothing is wrong, by sorting; False only says that it has to be looked at one by one."""
    for first, address, count, *_ in rows:
        if count < 0 or first < 1 or first + count - 1 > MAX_NUMBER or address + count > WORD:
            return False
    ranges = [row for row in rows if row.nodes]
    numbers = sorted((row.first, row.nodes) for row in ranges)
    addresses = sorted((row.address, row.nodes) for row in ranges)
    return not (_overlap(numbers) or _overlap(addresses)) and _aliases_sound(rows, numbers, addresses)


def _overlap(spans: list[tuple[int, int]]) -> bool:
    end = -1
    for start, count in spans:
        if start < end:
            return True
        end = start + count
    return False


def _aliases_sound(
    rows: Sequence[Row], numbers: list[tuple[int, int]], addresses: list[tuple[int, int]]
) -> bool:
    aliases = [row for row in rows if not row.nodes]
    if len({row.address for row in aliases}) != len(aliases):
        return False
    return all(_held(numbers, row.first) and not _held(addresses, row.address) for row in aliases)


def _held(spans: list[tuple[int, int]], value: int) -> bool:
    place = bisect_right(spans, (value, HIGHEST)) - 1
    return place >= 0 and value < sum(spans[place])


def _faults(rows: Sequence[Row]) -> Iterator[Fault]:
    """The faults of one entry after the other."""
    for place, row in enumerate(rows):
        yield from _single(row)
        yield from _ranges(row, rows[:place]) if row.nodes else _alias(row, rows, place)


def _single(row: Row) -> Iterator[Fault]:
    """What an entry can have wrong by itself."""
    if row.nodes < 0:
        yield _fault(
            "Table contains a range with a negative number of nodes!", row, hint=f"COUNT {row.nodes}"
        )
    if row.first <= 0:
        yield _fault(f"Table contains OpenMosix 'node-#{row.first}'!", row, hint="numbers begin with 1")
    last = signed(row.first + row.nodes - 1)
    if last > MAX_NUMBER:
        yield _fault(f"Table contains node-#{last} (max={MAX_NUMBER})!", row)
    if (row.address + row.nodes) & WORD < row.address:
        yield _fault("Table contains an IP Address(es) Wrap!", row, hint="255.255.255.255 is past the end")


def _ranges(row: Row, before: Sequence[Row]) -> Iterator[Fault]:
    """A range against the ranges above it."""
    for other in before:
        if not other.nodes:
            continue
        if other.first < row.first:
            numbers = signed(other.first + other.nodes) > row.first
        else:
            numbers = other.first < signed(row.first + row.nodes)
        if numbers:
            yield _fault("Table contains conflicting OpenMosix addresses!", row, other)
        if other.address < row.address:
            addresses = (other.address + other.nodes) & WORD > row.address
        else:
            addresses = other.address < (row.address + row.nodes) & WORD
        if addresses:
            yield _fault("Table contains conflicting IP addresses!", row, other)


def _alias(row: Row, rows: Sequence[Row], place: int) -> Iterator[Fault]:
    """An alias, or a range of no node, which is the same, against every other entry."""
    included = False
    for other_place, other in enumerate(rows):
        if other_place == place:
            continue
        if not other.nodes:
            if other.address == row.address:
                yield _fault(
                    "Table contains a conflict: 2 or more aliases claim the same IP address!", row, other
                )
            continue
        if other.first <= row.first < signed(other.first + other.nodes):
            included = True
        if other.address <= row.address < (other.address + other.nodes) & WORD:
            yield _fault("Table contains an IP conflict between a range and an alias!", row, other)
    if not included:
        yield _fault(f"Table contains an alias for node #{row.first} - which is not included!", row)


def _fault(message: str, *rows: Row, hint: str = "") -> Fault:
    return Fault(f"setpe: {message}".encode(), rows, hint=hint)
