# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies between two plans, host by host: whoever is not named here is not touched."""

from __future__ import annotations

from dataclasses import dataclass, fields

from eyrie.networks.plan import HostPlan, NetworkPlan


@dataclass(frozen=True)
class HostChange:
    """One host that has to be touched, and what changes there."""

    name: str
    what: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}: {', '.join(self.what)}"


def changes(old: NetworkPlan, new: NetworkPlan) -> tuple[HostChange, ...]:
    """Every host that a run has to touch, by name."""
    found = []
    for name in sorted(old.by_name.keys() | new.by_name.keys()):
        before, after = old.by_name.get(name), new.by_name.get(name)
        if before == after:
            continue
        if before is None:
            found.append(HostChange(name, ("joins",)))
        elif after is None:
            found.append(HostChange(name, ("leaves",)))
        else:
            found.append(HostChange(name, _what(before, after)))
    return tuple(found)


def _what(before: HostPlan, after: HostPlan) -> tuple[str, ...]:
    said = []
    for each in fields(HostPlan):
        one, two = getattr(before, each.name), getattr(after, each.name)
        if one == two:
            continue
        if each.name == "peers":
            said.append(_counted("peers", {p.name for p in one}, {p.name for p in two}))
        elif each.name == "openings":
            said.append("openings of the firewall")
        else:
            said.append(f"{each.name} {one or 'none'} becomes {two or 'none'}")
    return tuple(said)


def _counted(word: str, before: set[str], after: set[str]) -> str:
    come, go = len(after - before), len(before - after)
    counts = [f"{count} {what}" for count, what in ((come, "more"), (go, "fewer")) if count]
    return f"{word}: {', '.join(counts) or 'other routes'}"
