# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool's network: how long it takes to plan one of 2,000 desktops in 20 subnets."""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv4Network

from eyrie.errors import EyrieError
from eyrie.networks import Host, Site, Wanted, plan
from eyrie.networks.state import dump, load
from tests.bench.figure import Figure

SUBNETS, DESKTOPS, PLANS = 20, 100, 9
FIRST, AGAIN = (
    "network: plan for 2,000 desktops in 20 subnets",
    "network: the same once more, with its addresses file",
)
FIRST_NOTE = (
    "In process, WireGuard, a star around 4 masters: from the values of an inventory to every host's."
)
AGAIN_NOTE = "With the file read and judged."


def measure(say: Callable[[str], None]) -> list[Figure]:
    """The median decides, as for node tables."""
    say("networks")
    wanted = _office()
    text = dump(plan(wanted, None).state)
    first = tuple(_seconds(lambda: _check(plan(wanted, None).hosts)) for _ in range(PLANS))
    again = tuple(_seconds(lambda: _check(plan(wanted, load(text)).hosts)) for _ in range(PLANS))
    return [
        Figure(FIRST, 0.5, "s", first, "median", FIRST_NOTE),
        Figure(AGAIN, 0.5, "s", again, "median", AGAIN_NOTE),
    ]


def _office() -> Wanted:
    sites = tuple(
        Site(f"s{number}", IPv4Network((0x0A320000 + 256 * number, 24))) for number in range(SUBNETS)
    )
    masters = [Host(f"master-{number}", sites[0].span[0] + 240 + number, gateway=True) for number in range(4)]
    desktops = [
        Host(f"desk-{site.name}-{place}", site.span[0] + 10 + place)
        for site in sites
        for place in range(DESKTOPS)
    ]
    return Wanted("wireguard", sites, (*masters, *desktops))


def _check(hosts: tuple[object, ...]) -> None:
    if len(hosts) != SUBNETS * DESKTOPS + 4:
        raise EyrieError("plan", seen=len(hosts), wanted=f"{SUBNETS * DESKTOPS + 4} hosts")


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
