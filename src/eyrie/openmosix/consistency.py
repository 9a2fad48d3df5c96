# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the nodes of a pool with one another and with the table they all should have. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from eyrie.errors import EyrieError
from eyrie.nodetable.diff import covers
from eyrie.nodetable.parse import parse
from eyrie.nodetable.table import Entry, Table, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from eyrie.openmosix.facts import NodeFacts


@dataclass(frozen=True)
class Member:
    """A node of the pool; without facts it was not reached."""

    name: str
    address: str
    facts: NodeFacts | None = None


@dataclass(frozen=True)
class Finding:
    """Something that differs, and the nodes where it does."""

    what: str
    nodes: tuple[str, ...]
    detail: str

    def __str__(self) -> str:
        return f"{self.what} of {listed(self.nodes)}: {self.detail}"


@dataclass(frozen=True)
class Report:
    """What was found, and who could not be asked."""

    findings: tuple[Finding, ...]
    unreachable: tuple[str, ...]
    compared: int


def compare(members: Sequence[Member], wanted: Table, *, autodiscovery: bool = False) -> Report:
    """Find every difference among the nodes that were reached."""
    reached = {member.name: member.facts for member in members if member.facts is not None}
    homes = {member.name: member.address for member in members}
    findings = [
        *_versions(reached),
        *(_discovered(reached, wanted) if autodiscovery else _tables(reached, wanted)),
        *_numbers(reached, homes, wanted),
        *_mutual(reached),
        *(_undiscovered(reached) if autodiscovery else _daemons(reached)),
    ]
    unreachable = tuple(member.name for member in members if member.facts is None)
    return Report(tuple(findings), unreachable, len(reached))


def _versions(reached: Mapping[str, NodeFacts]) -> Iterable[Finding]:
    """Compare with what most of the nodes have: which of two versions is wanted, the pool cannot know."""
    of: dict[str, Callable[[NodeFacts], str]] = {
        "kernel release": lambda facts: facts.release,
        "kernel build": lambda facts: facts.build,
        "openMosix version": lambda facts: facts.openmosix,
        "tools version": lambda facts: facts.tools,
    }
    for what, value in of.items():
        holders: dict[str, list[str]] = defaultdict(list)
        for name, facts in reached.items():
            holders[value(facts)].append(name)
        if len(holders) < 2:
            continue
        usual, most = max(holders.items(), key=lambda each: len(each[1]))
        for odd, names in holders.items():
            if odd != usual:
                yield Finding(
                    what, tuple(names), f"found {odd or 'none'!r}, the other {len(most)} have {usual!r}"
                )


def _tables(reached: Mapping[str, NodeFacts], wanted: Table) -> Iterable[Finding]:
    goal = digest(wanted)
    running: dict[tuple[str, ...], list[str]] = defaultdict(list)
    files: dict[tuple[str, ...], list[str]] = defaultdict(list)
    hashes: dict[Table, str] = {}
    for name, facts in reached.items():
        if facts.table is not None:
            if facts.table not in hashes:
                hashes[facts.table] = digest(facts.table)
            if hashes[facts.table] != goal:
                running[tuple(table_lines(facts.table, wanted))].append(name)
        if lines := _file_lines(facts.map_text, wanted):
            files[lines].append(name)
    for lines, names in running.items():
        yield Finding("running node table", tuple(names), "; ".join(lines))
    for lines, names in files.items():
        yield Finding("/etc/openmosix.map", tuple(names), "; ".join(lines))


def _discovered(reached: Mapping[str, NodeFacts], wanted: Table) -> Iterable[Finding]:
    """What omdiscd found may be less than the table has room for, but every number must be the table's."""
    for name, facts in reached.items():
        ranges = facts.table.ranges if facts.table is not None else ()
        odd = [f"'{entry}'" for entry in ranges if not covers(Table((entry,)), wanted)]
        if odd:
            yield Finding(
                "discovered node table", (name,), f"found {listed(odd)}, which the table does not have"
            )


@lru_cache(maxsize=256)
def _file_lines(text: str | None, wanted: Table) -> tuple[str, ...]:
    if text is None:
        return ("there is none",)
    try:
        table = parse(text)
    except EyrieError as error:
        return (str(error),)
    return () if digest(table) == digest(wanted) else tuple(table_lines(table, wanted))


def table_lines(found: Table, wanted: Table, most: int = 3) -> list[str]:
    """Say in which lines a table differs: the line itself, and what stands there in the wanted one."""
    by_key = {_key(entry): entry for entry in wanted.entries}
    held, differences = set(), []
    for position, entry in enumerate(found.entries, 1):
        place = f"line {entry.line or position}: "
        goal = by_key.get(_key(entry))
        held.add(_key(entry))
        if goal is None:
            near = next((each for each in wanted.entries if _overlaps(each, entry)), None)
            instead = f"'{near}'" if near else "no such line"
            differences.append(f"{place}found '{entry}', wanted {instead}")
            if near:
                held.add(_key(near))
        elif goal != entry:
            differences.append(f"{place}found '{entry}', wanted '{goal}'")
    missing = [str(entry) for key, entry in by_key.items() if key not in held]
    differences += [f"missing is '{line}'" for line in missing]
    return differences[:most] + (
        [f"and {len(differences) - most} lines more"] if len(differences) > most else []
    )


def _key(entry: Entry) -> tuple[bool, int, str]:
    return entry.alias, entry.first, entry.address


def _overlaps(one: Entry, other: Entry) -> bool:
    """Tell whether two lines speak of the same number or of the same address."""
    if one.alias != other.alias:
        return False
    return one.first == other.first or one.address == other.address


def _numbers(reached: Mapping[str, NodeFacts], homes: Mapping[str, str], wanted: Table) -> Iterable[Finding]:
    owners: dict[int, list[str]] = defaultdict(list)
    off = [name for name, facts in reached.items() if not facts.enabled]
    for name, facts in reached.items():
        if not facts.enabled:
            continue
        owners[facts.number].append(name)
        number = wanted.number_of(homes[name])
        if facts.number != number:
            yield Finding("own number", (name,), f"found {facts.number}, wanted {number or 'none'}")
    if off:
        yield Finding("openMosix", tuple(off), "it is off")
    for number, names in owners.items():
        if len(names) > 1:
            yield Finding("own number", tuple(names), f"all of them are node {number}")


def _mutual(reached: Mapping[str, NodeFacts]) -> Iterable[Finding]:
    """Compare sets of numbers: a pool of 1,000 has a million pairs."""
    names = {facts.number: name for name, facts in reached.items() if facts.enabled}
    everybody = frozenset(names)
    missed: dict[str, list[str]] = defaultdict(list)
    for name, facts in reached.items():
        if facts.enabled:
            for number in everybody - facts.up:
                missed[names[number]].append(name)
    # Where a pair misses one another, the node that most others miss is named first.
    for name, seers in sorted(missed.items(), key=lambda each: (-len(each[1]), each[0])):
        yield Finding("status", (name,), f"down, as seen by {listed(sorted(seers))}")


def _daemons(reached: Mapping[str, NodeFacts]) -> Iterable[Finding]:
    owners: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, facts in reached.items():
        if facts.daemons:
            owners[facts.daemons].append(name)
    for daemons, names in owners.items():
        yield Finding("autodiscovery", tuple(names), f"{', '.join(daemons)} runs and may rewrite the table")


def _undiscovered(reached: Mapping[str, NodeFacts]) -> Iterable[Finding]:
    if names := [name for name, facts in reached.items() if "omdiscd" not in facts.daemons]:
        yield Finding("autodiscovery", tuple(names), "omdiscd does not run")


def listed(names: Sequence[str], most: int = 5) -> str:
    """Name a few and count the rest."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
