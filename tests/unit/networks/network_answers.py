# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers as hosts give them, from one that was recorded; a test says what is different in its own."""

from __future__ import annotations

from eyrie.networks import NetworkPlan
from eyrie.networks.check.script import KINDS

WIRE = {"ipip": "ipip", "wireguard": "wireguard", "ipsec": "esp", "shadow": "private_target"}


def answer(
    plan: NetworkPlan,
    name: str,
    *,
    lost: tuple[str, ...] = (),
    cut: tuple[str, ...] = (),
    routes: dict[str, str] | None = None,
    ttl: int | None = None,
    macs: dict[str, str] | None = None,
    counters: dict[str, int] | None = None,
    **said: str,
) -> str:
    """What a host prints; `lost` and `cut` are hosts that answer nothing, or no full-sized packets."""
    host = plan.by_name[name]
    device = host.device or "eth0"
    lines = [
        f"@time {said.get('time', '1795288580')}",
        "@office eth0",
        f"@counted {said.get('counted', 'yes')}",
    ]
    others = [each for each in plan.hosts if each.name != name]
    for each in others:
        gone, small = each.name in lost, each.name in cut
        lines += [
            f"@small {each.private} {1 if gone else 0}",
            f"@big {each.private} {1 if gone or small else 0}",
        ]
        if not gone and not small:
            direct = any(peer.name == each.name for peer in host.peers) or not host.device
            lines.append(f"@ttl {each.private} {ttl or (64 if direct else 63)}")
        out = (routes or {}).get(each.name, device)
        lines.append(f"@route {each.private} {each.private} dev {out} src {host.private} uid 0 ")
        if found := (macs or {}).get(each.name):
            lines.append(f"@neighbour {each.private} dev eth0 lladdr {found} REACHABLE ")
    kind = "fou" if host.fou else WIRE[host.mode]
    counted = {f"{way}_{kind}": 4 * len(others) for way in ("egress", "ingress")} | (counters or {})
    lines.append("table netdev eyrie_check { ")
    for way in ("egress", "ingress"):
        for each_kind in KINDS:
            packets = counted.get(f"{way}_{each_kind}", 0)
            lines.append(f"@counter {way}_{each_kind} {{ packets {packets} bytes {packets * 100} }} ")
    mac = said.get("mac", "02:00:00:00:00:01")
    private = said.get("private", f"{host.private}/16 scope global {device}")
    official = said.get("official", f"{host.official}/24")
    lines += [
        r"@address 1: lo    inet 127.0.0.1/8 scope host lo\       valid_lft forever preferred_lft forever",
        rf"@address 2: eth0    inet {official} brd 10.50.0.255 scope global eth0\       valid_lft forever",
    ]
    if private:
        lines.append(rf"@address 3: {private.split()[-1]}    inet {private}\       valid_lft forever")
    lines += [
        rf"@link 2: eth0@if2: <UP> mtu 1500 qdisc noqueue\    link/ether {mac} brd ff:ff:ff:ff:ff:ff",
        f"@rules {said.get('rules', 'yes')}",
    ]
    if host.mode == "wireguard":
        lines += [
            f"@key {said.get('key', 'K' * 43 + '=')}",
            f"@handshake {'K' * 43}= {said.get('handshake', '1795288570')}",
            f"@transfer {'K' * 43}= 724 820",
        ]
    if "ike" in said:
        lines.append(f"@ike {said['ike']}")
    return "\n".join([*lines, "@end", ""])
