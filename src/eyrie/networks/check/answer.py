# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host answered, as a value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from eyrie.errors import EyrieError

_KLIPS = re.compile(r"(before|after) (esp\S+) .*dir=(in|out) .*packets\((\d+)")
_COUNTER = re.compile(r"(\w+) \{ packets (\d+) bytes (\d+)")


@dataclass(frozen=True)
class Reach:
    """One target as a host saw it."""

    small: bool = False  # a small packet was answered, the third at the latest, or else the big one
    big: bool = False  # one of the full MTU, which must not be cut
    ttl: int = 0  # of the answer; none came: 0
    device: str = ""  # that the route goes out by
    mac: str = ""  # whom ARP found there


@dataclass(frozen=True)
class Answer:
    """One host's whole answer."""

    time: int
    office: str
    counted: bool
    rules: bool
    reach: dict[str, Reach]
    counters: dict[str, int]
    addresses: dict[str, str]  # to device
    mac: str
    key: str = ""  # WireGuard's public one
    handshakes: dict[str, int] = field(default_factory=dict)  # each peer's public key to the time of the last
    sas: int = 0
    ike: tuple[str, ...] = ()


def parse(text: str, name: str) -> Answer:
    """Read what the script printed; an answer that was cut off is an error."""
    lines = [line for line in text.splitlines() if line.startswith("@")]
    if not lines or lines[-1] != "@end":
        raise EyrieError(
            f"answer of host {name}",
            seen=text[-200:] or "nothing",
            wanted="a whole one",
            next_step="look whether the host has nft, ip and ping, and room in its temporary folder",
        )
    said: dict[str, list[str]] = {}
    for line in lines:
        key, _, rest = line[1:].partition(" ")
        said.setdefault(key, []).append(rest.strip())
    return Answer(
        time=int(_one(said, "time", "0")),
        office=_one(said, "office"),
        counted=_one(said, "counted") == "yes",
        rules=_one(said, "rules") == "yes",
        reach=_reach(said),
        counters=_klips(said.get("klips", []))
        | {m[1]: int(m[2]) for each in said.get("counter", []) if (m := _COUNTER.match(each))},
        addresses=_addresses(said.get("address", [])),
        mac=_after(_one(said, "link"), "link/ether"),
        key=_one(said, "key"),
        handshakes={k: int(v) for k, v in (each.split() for each in said.get("handshake", []))},
        sas=len(said.get("sa", [])),
        ike=tuple(said.get("ike", [])),
    )


def _reach(said: dict[str, list[str]]) -> dict[str, Reach]:
    def by_target(key: str) -> dict[str, str]:
        return {t: rest for t, _, rest in (each.partition(" ") for each in said.get(key, []))}

    small, big, ttl, route, mac = map(by_target, ("small", "big", "ttl", "route", "neighbour"))
    return {
        target: Reach(
            small="0" in (small[target], big.get(target)),
            big=big.get(target) == "0",
            ttl=int(ttl.get(target) or 0),
            device=_after(route.get(target, ""), "dev"),
            mac=_after(mac.get(target, ""), "lladdr"),
        )
        for target in small
    }


def _klips(lines: list[str]) -> dict[str, int]:
    """The packets that went through KLIPS meanwhile, by its own counts of each SA; an SA may be a new one."""
    found = [match.groups() for match in map(_KLIPS.match, lines) if match]
    before = {sa: int(packets) for when, sa, _, packets in found if when == "before"}
    sums = {"egress_esp": 0, "ingress_esp": 0} if lines else {}
    for when, sa, way, packets in found:
        if when == "after":
            sums["ingress_esp" if way == "in" else "egress_esp"] += int(packets) - before.get(sa, 0)
    return sums


def _addresses(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        words = line.split()
        if "inet" in words:
            found[words[words.index("inet") + 1].partition("/")[0]] = words[1].partition("@")[0]
    return found


def _one(said: dict[str, list[str]], key: str, default: str = "") -> str:
    return said.get(key, [default])[0]


def _after(text: str, word: str) -> str:
    words = text.split()
    return words[words.index(word) + 1] if word in words[:-1] else ""
