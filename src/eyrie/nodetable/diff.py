# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies between two node tables, and which nodes have to restart for it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from eyrie.nodetable.table import Entry, Table, dotted, numeric, render


@dataclass(frozen=True)
class Renumbered:
    """`count` addresses from `address` on whose own mapping changes.

    For `setpe -w` that is where the node's own range begins, its number and its address: a range that is cut,
    or joined to another, is refused though every number stays (seen on 2.4.26-om). A longer range passes.
    """

    address: str
    count: int
    old: int
    new: int

    def __str__(self) -> str:
        span = self.address if self.count == 1 else f"{self.address} and {self.count - 1} after it"
        if self.old == self.new:
            return f"{span}: node {self.old} keeps its number, but its range begins elsewhere"
        return f"{span}: node {self.old} becomes {self.new}"


@dataclass(frozen=True)
class TableDiff:
    """Entries that come and go, and the addresses whose own mapping changes."""

    added: tuple[Entry, ...] = ()
    removed: tuple[Entry, ...] = ()
    restarts: tuple[Renumbered, ...] = ()
    appends_only: bool = True  # nobody restarts, every old mapping stays, and what is new has higher numbers
    left: int = 0  # addresses that are in the old table alone
    come: int = 0  # and in the new one

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    @property
    def restart_count(self) -> int:
        """How many addresses change their own mapping."""
        return sum(span.count for span in self.restarts)

    def restarts_at(self, address: str) -> Renumbered | None:
        """How the own mapping of the node at this address changes; None: it does not restart."""
        wanted = numeric(address)
        for span in self.restarts:
            start = numeric(span.address)
            if start <= wanted < start + span.count:
                offset = wanted - start
                return Renumbered(address, 1, span.old + offset, span.new + offset)
        return None

    def restart_set(self) -> Iterator[str]:
        """Every address whose own mapping changes: openMosix there restarts and brings all processes home."""
        for span in self.restarts:
            start = numeric(span.address)
            yield from (dotted(start + offset) for offset in range(span.count))


def diff(old: Table, new: Table) -> TableDiff:
    """Compare two tables; the order of entries does not matter."""
    before, after = set(old.entries), set(new.entries)
    added = tuple(entry for entry in new.entries if entry not in before)
    removed = tuple(entry for entry in old.entries if entry not in after)
    restarts = tuple(_restarts(old, new))
    highest = max((entry.last for entry in old.ranges), default=0)
    kept = not removed or covers(old, new)
    appended = all(entry.first > highest for entry in _new_numbers(old, added))
    both = sum(end - start for start, end, _, _ in _common(old, new))
    appends_only = kept and appended and not restarts
    return TableDiff(added, removed, restarts, appends_only, old.size - both, new.size - both)


def unified(old: Table, new: Table, old_name: str = "old", new_name: str = "new") -> str:
    """The texts of both tables as a unified diff; empty if they are the same."""
    before, after = render(old).splitlines(keepends=True), render(new).splitlines(keepends=True)
    return "".join(difflib.unified_diff(before, after, old_name, new_name))


def _restarts(old: Table, new: Table) -> Iterator[Renumbered]:
    """Addresses that are in both tables, in ranges that do not begin alike, span by span."""
    for start, end, before, after in _common(old, new):
        if (before.first, before.start) != (after.first, after.start):
            was, becomes = before.first + start - before.start, after.first + start - after.start
            yield Renumbered(dotted(start), end - start, was, becomes)


def _common(old: Table, new: Table) -> Iterator[tuple[int, int, Entry, Entry]]:
    """Spans of addresses that both tables hold, with the range of either."""
    befores = sorted(old.ranges, key=lambda entry: entry.start)
    afters = sorted(new.ranges, key=lambda entry: entry.start)
    i = j = 0
    while i < len(befores) and j < len(afters):
        before, after = befores[i], afters[j]
        before_end, after_end = before.start + before.count, after.start + after.count
        start, end = max(before.start, after.start), min(before_end, after_end)
        if start < end:
            yield start, end, before, after
        if before_end <= after_end:
            i += 1
        else:
            j += 1


def covers(old: Table, new: Table) -> bool:
    """Whether every mapping of the old table is in the new one, however its ranges are cut."""
    same = sum(
        end - start
        for start, end, before, after in _common(old, new)
        if before.first - before.start == after.first - after.start
    )
    return same == old.size and set(old.aliases) <= set(new.aliases)


def _new_numbers(old: Table, added: tuple[Entry, ...]) -> Iterator[Entry]:
    """The added ranges, without those that only cut old mappings in another way."""
    return (entry for entry in added if not entry.alias and not covers(Table((entry,)), old))
