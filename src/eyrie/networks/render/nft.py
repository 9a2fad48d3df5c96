# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of nftables: who may knock, what may never leave in the clear, and who reaches whom inside.

They are a table of our own with early hooks. What another firewall of the host refuses stays refused.
Protocols are given by number (IP-in-IP is 4): nft asks /etc/protocols for names, and there `ipip` is 94.
"""

from __future__ import annotations

from collections.abc import Iterator

from eyrie.networks.model import FOU_PORT
from eyrie.networks.plan import HostPlan

TABLE = "eyrie_network"


def render(plan: HostPlan) -> str:
    """The whole table, which replaces the one of before in one step."""
    lines = [
        "# Written by Eyrie: site.yml writes it again.",
        f"add table inet {TABLE}",
        f"delete table inet {TABLE}",
        f"table inet {TABLE} {{",
        *_set("peers", sorted({peer.endpoint for peer in plan.peers if peer.endpoint})),
        *(_set("nodes", sorted(peer.private for peer in plan.legacy)) if plan.legacy else ()),
        *_chain("input", "filter hook input priority filter - 10; policy accept;", _input(plan)),
        *_chain("output", "filter hook output priority filter - 10; policy accept;", _output(plan)),
        *_chain("forward", "filter hook forward priority filter - 10; policy accept;", _forward(plan)),
        *_chain("clamp", "filter hook forward priority mangle; policy accept;", _clamp(plan)),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _input(plan: HostPlan) -> Iterator[str]:
    """Tunnels from peers only, encrypted where the mode says so; private addresses from the device only."""
    if plan.mode in ("ipip", "ipsec") and not plan.fou:
        yield "meta l4proto 4 ip saddr != @peers drop"
    if plan.fou:
        yield f"udp dport {FOU_PORT} ip saddr != @peers drop"
        # What came in UDP is not seen here a second time.
        yield "meta l4proto 4 drop"
    if plan.mode == "ipsec":
        # Never a fall-back: what comes unprotected is dropped, whoever sent it.
        yield "meta l4proto 4 meta ipsec missing drop"
    if plan.legacy:
        # By ESP in tunnel mode, past the device. Whose tunnel it came by, the kernel has compared.
        yield f"meta ipsec exists ip saddr @nodes ip daddr {plan.private} accept"
    if plan.device:
        yield f'iifname != {{ "{plan.device}", "lo" }} ip saddr {plan.network} drop'
        yield f'iifname != {{ "{plan.device}", "lo" }} ip daddr {plan.network} drop'
        yield f'iifname "{plan.device}" ip saddr != {plan.network} drop'
        yield f'iifname "{plan.device}" icmp type redirect drop'


def _output(plan: HostPlan) -> Iterator[str]:
    """No private address leaves by another way than the device: it would be seen by the office."""
    if plan.mode == "ipsec":
        yield "meta l4proto 4 rt ipsec missing drop"
    if plan.legacy:
        yield f"rt ipsec exists ip saddr {plan.private} ip daddr @nodes accept"
    if plan.device:
        for side in ("saddr", "daddr"):
            yield f'oifname != {{ "{plan.device}", "lo" }} ip {side} {plan.network} drop'
    if plan.forwards:
        # In and out by one device, where the kernel believes that hosts could do without a gateway.
        yield f'oifname "{plan.device}" icmp type redirect drop'


def _forward(plan: HostPlan) -> Iterator[str]:
    """Between hosts of the pool where this one is a gateway; never between pool and office."""
    if plan.forwards:
        yield (
            f'iifname "{plan.device}" oifname "{plan.device}" ip saddr {plan.network}'
            f" ip daddr {plan.network} accept"
        )
    if plan.forwards and plan.legacy:
        yield f'meta ipsec exists ip saddr @nodes oifname "{plan.device}" ip daddr {plan.network} accept'
        yield f'iifname "{plan.device}" ip saddr {plan.network} rt ipsec exists ip daddr @nodes accept'
        yield "meta ipsec exists ip saddr @nodes rt ipsec exists ip daddr @nodes accept"
    if plan.device:
        yield f'iifname "{plan.device}" drop'
        yield f'oifname "{plan.device}" drop'
    for side in ("saddr", "daddr"):
        yield f"ip {side} {plan.network} drop"


def _clamp(plan: HostPlan) -> Iterator[str]:
    """A gateway makes TCP fit, for hosts that hear nothing of path MTU."""
    if plan.forwards:
        size = "tcp option maxseg size"
        yield f'oifname "{plan.device}" tcp flags syn {size} > {plan.mss} {size} set {plan.mss}'


def _set(name: str, elements: list[str]) -> Iterator[str]:
    yield f"    set {name} {{"
    yield "        type ipv4_addr"
    if elements:
        yield f"        elements = {{ {', '.join(elements)} }}"
    yield "    }"


def _chain(name: str, hook: str, rules: Iterator[str]) -> Iterator[str]:
    found = list(rules)
    if not found:
        return
    yield f"    chain {name} {{"
    yield f"        type {hook}"
    yield from (f"        {rule}" for rule in found)
    yield "    }"
