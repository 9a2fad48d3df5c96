# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers that a pool has given, for ever: a committed file that shows when it was edited or lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from eyrie import committed
from eyrie.errors import EyrieError
from eyrie.nodetable.diff import covers
from eyrie.nodetable.table import MAX_NUMBER, Entry, Table, numeric

FORMAT = 1
HEAD = """\
# Node numbers of an openMosix pool, given for ever. Written by `eyrie nodes plan --write`.
# Commit this file, and never edit it: a number that changes restarts its node and brings its processes home.
"""
RESTORE = "restore the committed file, or take the numbers from a node: eyrie nodes import map openmosix.map"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Numbered:
    """A subnet's numbers. A retired range is in no table, and nobody else gets its numbers."""

    subnet: str
    first: int
    address: str
    count: int
    retired: bool = False

    @cached_property
    def entry(self) -> Entry:
        return Entry(self.first, self.address, self.count)

    @property
    def numbers(self) -> str:
        return f"{self.first}-{self.entry.last}"

    @property
    def end(self) -> int:
        """The last address as a number."""
        return self.entry.start + self.count - 1


@dataclass(frozen=True)
class State:
    """Every range that was ever given, in the order of numbers, and further addresses of single nodes."""

    ranges: tuple[Numbered, ...] = ()
    aliases: tuple[Entry, ...] = ()

    @cached_property
    def table(self) -> Table:
        """The node table of the ranges that are in use."""
        entries = tuple(each.entry for each in self.ranges if not each.retired)
        held = Table(entries)
        aliases = (alias for alias in self.aliases if held.address_of(alias.first))
        return Table((*entries, *aliases))

    @property
    def next_number(self) -> int:
        """The first number that was never given."""
        return max((each.entry.last for each in self.ranges), default=0) + 1


def dump(state: State) -> str:
    """The text of the file, with the checksum of what it says."""
    lines = [f"- {_flow(_range(each))}\n" for each in state.ranges]
    aliases = [f"- {_flow(_alias(each))}\n" for each in state.aliases]
    body = f"format: {FORMAT}\nranges:{_block(lines)}aliases:{_block(aliases)}"
    return f"{HEAD}{body}checksum: {checksum(state)}\n"


def checksum(state: State) -> str:
    """SHA-256 of the values, so that layout and comments do not matter."""
    return committed.checksum(
        [FORMAT, [_range(each) for each in state.ranges], [_alias(each) for each in state.aliases]]
    )


def load(text: str | bytes, source: str = "openmosix-numbers.yml") -> State:
    """Read the file's text; EyrieError if it is not what `dump` wrote."""
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, the quick one where there is one
    except (yaml.YAMLError, ValueError) as error:
        raise EyrieError(
            source, seen=f"no YAML: {error}", wanted="a numbers file", next_step=RESTORE
        ) from None
    if not isinstance(value, dict) or value.keys() != {"format", "ranges", "aliases", "checksum"}:
        raise EyrieError(
            source, seen=str(value)[:80], wanted="format, ranges, aliases and checksum", next_step=RESTORE
        )
    if value["format"] != FORMAT:
        raise EyrieError(
            f"{source}: format", seen=value["format"], wanted=str(FORMAT), next_step="update Eyrie"
        )
    try:
        ranges = tuple(_read_range(each) for each in value["ranges"])
        aliases = tuple(Entry(each["number"], each["address"], 0, alias=True) for each in value["aliases"])
        state = State(ranges, aliases)
        real = checksum(state)
        sound = _sound(state)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise EyrieError(
            source, seen=f"unreadable: {error}", wanted="a numbers file", next_step=RESTORE
        ) from None
    if value["checksum"] != real or not sound:
        raise EyrieError(
            f"{source}: checksum",
            seen=value["checksum"],
            wanted=f"{real}, for it was edited by hand",
            next_step=RESTORE,
        )
    return state


def write(path: Path, state: State) -> None:
    """Replace the file in one step, so that there is never half of one."""
    committed.replace(path, dump(state))


def disagreement(state: State, deployed: Mapping[str, Table]) -> EyrieError | None:
    """Where a host's table says what this state never gave: then it is an old one, or another pool's."""
    known = Table(tuple(each.entry for each in state.ranges))
    for host, table in deployed.items():
        for entry in table.ranges:
            if not _covered(entry, known):
                return EyrieError(
                    f"the table of host {host}",
                    seen=f"{entry}",
                    wanted="only what the numbers file gives: it is older than this table, or another pool's",
                    next_step=RESTORE,
                )
    return None


def _covered(entry: Entry, known: Table) -> bool:
    """Whether every address of the entry has the same number in the known table."""
    return covers(Table((entry,)), known)


def _sound(state: State) -> bool:
    """Values that `plan` can have written."""
    for each in state.ranges:
        numeric(each.address)
        if not (isinstance(each.subnet, str) and isinstance(each.retired, bool)):
            return False
        if not (each.first >= 1 and each.count >= 1 and each.first + each.count - 1 <= MAX_NUMBER):
            return False
    return all(numeric(alias.address) >= 0 and alias.first >= 1 for alias in state.aliases)


def _read_range(value: dict[str, Any]) -> Numbered:
    return Numbered(
        value["subnet"], value["first"], value["address"], value["count"], retired=value.get("retired", False)
    )


def _range(each: Numbered) -> dict[str, Any]:
    value = {"first": each.first, "address": each.address, "count": each.count, "subnet": each.subnet}
    return value | {"retired": True} if each.retired else value


def _alias(entry: Entry) -> dict[str, Any]:
    return {"number": entry.first, "address": entry.address}


def _flow(value: dict[str, Any]) -> str:
    """One line of YAML, with texts as JSON writes them, which YAML reads too."""
    items = (
        f"{key}: {json.dumps(each, ensure_ascii=False) if key in ('subnet', 'retired') else each}"
        for key, each in value.items()
    )
    return "{" + ", ".join(items) + "}"


def _block(lines: Iterable[str]) -> str:
    text = "".join(lines)
    return f"\n{text}" if text else " []\n"
