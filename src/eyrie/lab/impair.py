# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a lab's router a bad one: packets that it drops, delays, loses or reorders between subnets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from eyrie.errors import EyrieError
from eyrie.lab.commands import run
from eyrie.lab.model import Topology
from eyrie.lab.network_plan import router_leg

TABLE = "inet eyrie_impair"
DROPS = {
    "ipip": "ip protocol 4",  # by name nft would take it for protocol 94
    "esp": "ip protocol 50",
    "icmp": "ip protocol icmp",
    "fragments": "ip frag-off & 0x3fff != 0",
    "too-big": "icmp type destination-unreachable icmp code frag-needed",
}
"""What can be dropped by name, as nft matches it; besides, `udp/PORT` and `tcp/PORT`."""
_PORT = re.compile(r"(udp|tcp)/(\d{1,5})")


@dataclass(frozen=True)
class Impairment:
    """What the router does to packets between subnets; the default does nothing."""

    drops: tuple[str, ...] = ()
    delay_ms: float = 0
    loss_percent: float = 0
    reorder_percent: float = 0

    def __post_init__(self) -> None:
        for name, value in (("loss", self.loss_percent), ("reorder", self.reorder_percent)):
            if not 0 <= value <= 100:
                raise EyrieError(name, seen=value, wanted="0 to 100 %")
        if not 0 <= self.delay_ms <= 10000:
            raise EyrieError("delay", seen=self.delay_ms, wanted="0 to 10000 ms")
        if self.reorder_percent and not self.delay_ms:
            raise EyrieError(
                "reorder", seen="no delay", wanted="a delay, which the packets sent at once overtake"
            )


def rules(drops: Sequence[str]) -> str:
    """Return the router's table for nft, which replaces the one of before."""
    lines = "".join(f"    {_match(drop)} counter drop\n" for drop in drops)
    chain = f"  chain forward {{\n    type filter hook forward priority 0; policy accept;\n{lines}  }}\n"
    return f"table {TABLE}\ndelete table {TABLE}\n" + (f"table {TABLE} {{\n{chain}}}\n" if drops else "")


def netem(wanted: Impairment) -> str:
    """Return the words for tc netem; nothing where packets are neither delayed nor lost."""
    words = []
    if wanted.delay_ms:
        words.append(f"delay {wanted.delay_ms:g}ms")
    if wanted.loss_percent:
        words.append(f"loss {wanted.loss_percent:g}%")
    if wanted.reorder_percent:
        words.append(f"reorder {wanted.reorder_percent:g}%")
    return " ".join(words)


def impair(topology: Topology, wanted: Impairment) -> None:
    """Put it in force on every leg of the router, instead of what was before."""
    name = topology.router_namespace
    words = netem(wanted)
    for leg in map(router_leg, topology.subnets):
        run(["tc", "-n", name, "qdisc", "replace", "dev", leg, "root", "pfifo"])
        if not words:
            continue
        try:
            run(["tc", "-n", name, "qdisc", "replace", "dev", leg, "root", "netem", *words.split()])
        except EyrieError as error:
            raise EyrieError(
                f"the router of lab {topology.name}",
                seen=f"tc netem: {error}",
                wanted="a kernel of this machine with sch_netem, to delay, lose or reorder",
                next_step="use --drop alone, or tc netem in a host of kind vm, which has a kernel of its own",
            ) from error
    run(["ip", "netns", "exec", name, "nft", "-f", "-"], stdin=rules(wanted.drops))


def _match(drop: str) -> str:
    port = _PORT.fullmatch(drop)
    if port and 0 < int(port[2]) < 65536:
        return f"{port[1]} dport {int(port[2])}"
    if drop in DROPS:
        return DROPS[drop]
    raise EyrieError("drop", seen=drop, wanted=f"one of {', '.join(DROPS)}, udp/PORT, tcp/PORT")
