# SPDX-License-Identifier: GPL-3.0-or-later
"""One map looked at for `eyrie nodes check`: setpe's judgement, and with `strict` ours on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from eyrie.nodetable.names import Lookup, no_names
from eyrie.nodetable.parse import parse
from eyrie.nodetable.setpe import judge
from eyrie.nodetable.strict import TableFault, faults


@dataclass(frozen=True)
class Rules:
    """How maps are to be judged."""

    own: str | None = None
    strict: bool = False
    networks: tuple[IPv4Network, ...] = ()
    lookup: Lookup = no_names


@dataclass(frozen=True)
class Report:
    """The outcome for one map; `message` is setpe's, empty where only `strict` refuses."""

    map: str
    accepted: bool
    reason: str = ""
    line: int | None = None
    value: str | None = None
    message: str = ""

    def __str__(self) -> str:
        return f"{self.map}: ok" if self.accepted else f"{self.map}: refused: {self.reason}"


def check(data: bytes, name: str, rules: Rules) -> Report:
    """Judge one map."""
    verdict = judge(data, rules.own, name, rules.lookup)
    if not verdict.accepted:
        message = verdict.message.decode("utf-8", "backslashreplace")
        return Report(name, False, verdict.reason, verdict.line, verdict.value, message)
    if rules.strict and (found := _strict(data, name, rules)):
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return Report(name, False, f"{found[0]}{more}", found[0].line, str(found[0].seen))
    return Report(name, True)


def _strict(data: bytes, name: str, rules: Rules) -> Sequence[TableFault]:
    return faults(parse(data, name, rules.lookup), rules.networks, name)
