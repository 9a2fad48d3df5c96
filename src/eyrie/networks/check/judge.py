# SPDX-License-Identifier: GPL-3.0-or-later
"""From everybody's answers to a matrix, and for each pair that fails the likely cause. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eyrie.networks.check.answer import Answer, Reach
from eyrie.networks.explain import hops
from eyrie.networks.model import Mode
from eyrie.networks.plan import HostPlan, NetworkPlan

CLOCK_SECONDS = 3600
"""Clocks further apart than this make certificates fail; less is the office's daily life."""
WIRE: dict[Mode, tuple[str, ...]] = {
    "ipip": ("ipip",),
    "wireguard": ("wireguard",),
    "ipsec": ("esp", "esp_udp"),
    "shadow": ("private_target",),
}
"""What each mode's packets look like on the office's wire."""
WORDS = {
    "ipip": "protocol 4 (IP-in-IP)",
    "fou": "UDP port 5555",
    "wireguard": "UDP port 51820",
    "esp": "protocol 50 (ESP), or UDP ports 500 and 4500",
    "private_target": "private addresses",
}
TTL = 64


@dataclass(frozen=True)
class Finding:
    """One thing that is not as planned."""

    thing: str
    cause: str

    def __str__(self) -> str:
        return f"{self.thing}: {self.cause}"


@dataclass(frozen=True)
class Verdict:
    """The matrix by names of hosts, `ok`, `cut` (large packets are lost), `no` or `?`, and the findings."""

    matrix: dict[str, dict[str, str]]
    findings: tuple[Finding, ...]
    unreachable: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not self.findings


def judge(plan: NetworkPlan, answers: Mapping[str, Answer | None], now: int) -> Verdict:
    """Judge all answers; None is a host that was not reached, `now` the control host's clock (Unix time)."""
    names = {host.private: host.name for host in plan.hosts}
    reached = {name: answer for name, answer in answers.items() if answer is not None}
    matrix: dict[str, dict[str, str]] = {}
    findings: list[Finding] = []
    for name, answer in reached.items():
        host = plan.by_name[name]
        findings += _host(host, answer)
        row = matrix.setdefault(name, {})
        for target, reach in answer.reach.items():
            other = names.get(target, target)
            row[other] = "?" if not reach.small and answers.get(other) is None else _mark(reach)
            findings += _pair(plan, host, other, reached)
    findings += _clocks(reached, now)
    absent = tuple(sorted(name for name, answer in answers.items() if answer is None))
    return Verdict(matrix, tuple(dict.fromkeys(findings)), absent)


def _mark(reach: Reach) -> str:
    return "ok" if reach.small and reach.big else "cut" if reach.small else "no"


def _host(host: HostPlan, answer: Answer) -> Iterator[Finding]:
    """What one host's answer says about itself."""
    device = host.device or answer.office
    if answer.addresses.get(host.private) != device:
        where = answer.addresses.get(host.private, "nowhere")
        yield Finding(
            host.name,
            f"its private address {host.private} is {where}, not on {device or 'its interface'}:"
            " a run was cut, or somebody changed it. Next: run site.yml",
        )
    if host.official not in answer.addresses:
        yield Finding(
            host.name, f"no interface has its official address {host.official}: its subnet was renumbered?"
        )
    if host.kind == "openmosix" and host.mode != "ipsec":
        return  # it has no nftables, neither for rules nor to count with
    if not answer.rules:
        what = "iptables" if host.kind == "openmosix" else "nft"
        yield Finding(host.name, f"the pool's rules ({what}) are not in force. Next: run site.yml")
    if not answer.counted:
        yield Finding(host.name, "its wire could not be counted: what goes over it is not known")
        return
    yield from _wire(host, answer)


def _wire(host: HostPlan, answer: Answer) -> Iterator[Finding]:
    """What went over the office's wire against what may."""
    count = answer.counters
    if host.mode != "shadow":
        leaked = count.get("egress_private_source", 0) + count.get("egress_private_target", 0)
        if leaked:
            yield Finding(
                host.name, f"{leaked} packets with private addresses went onto the office's wire uncovered"
            )
    if host.mode in ("ipsec", "wireguard") and (plain := count.get("egress_ipip", 0)):
        yield Finding(host.name, f"{plain} packets of IP-in-IP left unencrypted, in mode {host.mode}")
    if any(reach.small for reach in answer.reach.values()) and not _sent(host, answer, "egress"):
        yield Finding(host.name, f"others answer, but nothing of mode {host.mode} went over its wire")


def _sent(host: HostPlan, answer: Answer, way: str) -> int:
    """Packets of the mode on the wire, out (egress) or in (ingress)."""
    kinds = ("fou",) if host.fou else WIRE.get(host.mode, ())
    return sum(answer.counters.get(f"{way}_{kind}", 0) for kind in kinds)


def _pair(plan: NetworkPlan, host: HostPlan, other: str, answers: Mapping[str, Answer]) -> Iterator[Finding]:
    """What is wrong between two, if anything."""
    answer, there = answers[host.name], answers.get(other)
    far = plan.by_name.get(other)
    if far is None:
        return
    reach = answer.reach[far.private]
    thing = f"{host.name} to {other}"
    if reach.small:
        if not reach.big:
            yield Finding(
                thing,
                f"packets of {host.mtu} bytes are lost, small ones not: a smaller MTU on the way, or what"
                " drops the messages about it. Next: set the mtu of that subnet",
            )
        yield from _way_back(plan, host, far, answer)
        return
    if there is None:
        return  # it was not reached at all: off, most often
    yield Finding(thing, _cause(plan, host, far, answer, there))


def _devices(host: HostPlan, far: HostPlan, answer: Answer) -> set[str]:
    """What a route to another may go by: strongSwan gives one of ESP in tunnel mode its own."""
    by_tunnel_mode = far.name in {peer.name for peer in host.legacy}
    return {host.device or answer.office} | ({answer.office} if by_tunnel_mode else set())


def _way_back(plan: NetworkPlan, host: HostPlan, far: HostPlan, answer: Answer) -> Iterator[Finding]:
    reach = answer.reach[far.private]
    if host.device and reach.device and reach.device not in _devices(host, far, answer):
        yield Finding(f"{host.name} to {far.name}", f"goes out by {reach.device}, past {host.device}")
    if not host.device or not reach.ttl:
        return
    planned = len(hops(plan, far.name, host.name)) - 2
    if (passed := TTL - reach.ttl) != planned:
        yield Finding(
            f"{host.name} to {far.name}",
            f"the answer came through {passed} routers, planned are {planned}: another way back than there",
        )


def _cause(plan: NetworkPlan, host: HostPlan, far: HostPlan, here: Answer, there: Answer) -> str:
    """The likeliest reason why a packet is not answered."""
    reach = here.reach[far.private]
    device = host.device or here.office
    if here.addresses.get(host.private) != device:
        return f"{host.name} has no private address on {device or 'any interface'}"
    if there.addresses.get(far.private) != (far.device or there.office):
        return f"{far.name} has no private address on {far.device or 'its interface'}"
    if reach.device not in _devices(host, far, here) and host.kind != "openmosix":  # whose ip tells no route
        return f"no route by {device}, but by {reach.device or 'nothing'}"
    if host.mode == "shadow" and reach.mac and there.mac and reach.mac != there.mac:
        return (
            f"{reach.mac} answers for {far.private}, not {far.name} ({there.mac}): a visitor has the address"
        )
    apart = abs(here.time - there.time)
    if host.mode == "ipsec" and here.ike + there.ike:
        said = (here.ike + there.ike)[-1]
        clock = f", and their clocks are {apart} s apart" if apart > CLOCK_SECONDS else ""
        if _sent(host, there, "ingress") == 0 and "retransmit" in said:
            return f"no answer to IKE: something between drops UDP 500 or 4500{clock}"
        return f"IKE says: {said}{clock}"
    word = WORDS["fou" if host.fou else WIRE[host.mode][0]]
    if here.counted and there.counted and len(hops(plan, host.name, far.name)) == 2:
        if _sent(host, here, "egress") == 0:
            return f"nothing of it leaves {host.name}"
        if there.key and here.handshakes and there.key not in here.handshakes:
            return f"{far.name} has another key than {host.name} knows"
        if _sent(host, there, "ingress") == 0:
            return f"something between drops {word}: {host.name} sends, nothing arrives at {far.name}"
    if host.mode == "wireguard" and not any(here.handshakes.values()):
        return (
            "packets arrive, and no handshake is completed: one of them has another key than the pool knows"
        )
    return f"packets arrive at {far.name}, which does not answer: look at its firewall"


def _clocks(answers: Mapping[str, Answer], now: int) -> Iterator[Finding]:
    """Who is far from the middle of all clocks, the control host's among them: of two alone nobody knows."""
    times = sorted((now, *(answer.time for answer in answers.values())))
    middle = times[len(times) // 2]
    for name, answer in answers.items():
        if (off := answer.time - middle) and abs(off) > CLOCK_SECONDS:
            yield Finding(name, f"its clock is {off} s off: certificates fail by it")
