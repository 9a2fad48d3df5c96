# SPDX-License-Identifier: GPL-3.0-or-later
"""What one node said of itself, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from eyrie.nodetable.parse import parse
from eyrie.nodetable.table import Table, digest, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UP = 2
BLOCKED = 16
# Bits of /proc/hpc/nodes/N/status, seen on 2.4.26-om: 1 configured, 3 up, 19 up and blocked.


@dataclass(frozen=True)
class Peer:
    """A configured node as this node sees it; one that is down is not listed."""

    number: int
    status: int
    load: int
    speed: int

    @property
    def up(self) -> bool:
        return bool(self.status & UP)


@dataclass(frozen=True)
class Guest:
    """A process of another node that runs here."""

    pid: int
    home: int
    home_pid: int
    command: str


@dataclass(frozen=True)
class Away:
    """A process of this node that runs elsewhere. Its name would have to be asked of the other node."""

    pid: int
    node: int


@dataclass(frozen=True)
class NodeFacts:
    """Everything one round trip tells."""

    release: str
    build: str
    openmosix: str
    tools: str
    number: int
    own_address: str | None
    table: Table | None
    map_text: str | None
    map_md5: str | None
    up: frozenset[int] = frozenset()
    peers: tuple[Peer, ...] = ()
    guests: tuple[Guest, ...] = ()
    away: tuple[Away, ...] = ()
    blocked: bool = False
    staying: bool = False
    daemons: tuple[str, ...] = ()
    init_md5: str | None = None
    run_levels: str | None = None
    links: tuple[str, ...] = ()
    firewall: str = "none"
    map_old: bool = False

    @property
    def enabled(self) -> bool:
        return self.number > 0

    @property
    def empty(self) -> bool:
        """Tell whether nothing of others is here and nothing of ours is elsewhere."""
        return not self.guests and not self.away

    @property
    def load(self) -> int | None:
        return next((peer.load for peer in self.peers if peer.number == self.number), None)

    def as_dict(self) -> dict[str, Any]:
        """Return what an Ansible task registers: a pool of 1,000 keeps 1,000 of these, so it is compact."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        for name in ("peers", "guests", "away"):
            values[name] = [asdict(each) for each in values[name]]
        values |= {"enabled": self.enabled, "empty": self.empty, "load": self.load}
        values["daemons"], values["links"] = list(self.daemons), list(self.links)
        values["up"] = spans(self.up)
        values["table"] = None if self.table is None else render(self.table)
        values["table_sha256"] = None if self.table is None else digest(self.table)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NodeFacts:
        """Return the facts that a task registered."""
        known = {each.name: values[each.name] for each in fields(cls)}
        known["up"] = numbers(known["up"])
        known["table"] = None if known["table"] is None else _table(known["table"])
        known["daemons"], known["links"] = tuple(known["daemons"]), tuple(known["links"])
        for name, kind in (("peers", Peer), ("guests", Guest), ("away", Away)):
            known[name] = tuple(kind(**each) for each in known[name])
        return cls(**known)


@lru_cache(maxsize=256)
def _table(text: str) -> Table:
    return parse(text, "the kernel's table")


def spans(values: Iterable[int]) -> str:
    """Write numbers as spans: 1-3,7."""
    found: list[list[int]] = []
    for number in sorted(values):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in found)


@lru_cache(maxsize=4096)
def numbers(text: str) -> frozenset[int]:
    """Read what `spans` wrote."""
    ends = (span.partition("-") for span in text.split(",") if span)
    return frozenset(
        number for first, _, last in ends for number in range(int(first), int(last or first) + 1)
    )
