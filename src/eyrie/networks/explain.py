# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan in words: what one host gets, and what happens to a packet between two."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from eyrie.errors import EyrieError
from eyrie.networks.model import KLIPS, Mode
from eyrie.networks.mtu import PARTS, TCP_HEADERS, overhead
from eyrie.networks.plan import LEGACY, HostPlan, NetworkPlan, Opening, Peer

WORDS: dict[Mode, str] = {
    "outbound": "guests reach the master's port and nothing else; there is no private address",
    "hub": "an Ethernet of the guests, carried in TLS to a hub on a master",
    "shadow": "private addresses on the same wire as the official ones; neither encapsulated nor encrypted",
    "ipip": "IP-in-IP; encapsulated, not encrypted",
    "wireguard": "WireGuard; ChaCha20-Poly1305, a key pair for each host",
    "ipsec": "IP-in-IP inside ESP transport mode; IKEv2, AES-GCM-16, a certificate of the pool for each host",
}


def host(plan: HostPlan) -> Iterator[str]:
    """One host, line by line."""
    yield f"{plan.name}: {plan.kind}, {plan.official}, mode {plan.mode}: {WORDS[plan.mode]}"
    if not plan.private:
        return
    whose = "its guest's private address" if plan.mode == "hub" and not plan.openings else "private address"
    yield f"{whose}: {plan.private} of {plan.network}"
    yield f"device: {plan.device or 'none of its own'}"
    # A node's are others, which give the same number on most wires: see mtu.legacy.
    parts = () if plan.device == KLIPS else PARTS[(plan.mode, plan.fou)]
    yield f"MTU {plan.mtu}, MSS {plan.mss} (less {TCP_HEADERS}: IPv4 20, RFC 791, and TCP 20, RFC 9293)"
    for part in parts:
        yield f"  {part.size:3} bytes {part.what} ({part.source})"
    if parts:
        yield f"  {overhead(plan.mode, plan.fou):3} bytes in all"
    if plan.forwards:
        yield "carries the traffic of others from tunnel to tunnel, and nowhere else"
    for peer in plan.peers[:20]:
        where = peer.endpoint or "wherever it calls from"
        how = f" (legacy: {LEGACY})" if peer in plan.legacy else ""
        yield f"peer {peer.name} at {where}: {', '.join(peer.routes)}{how}"
    if len(plan.peers) > 20:
        yield f"and {len(plan.peers) - 20} more peers"
    for each in plan.openings:
        yield f"firewall: {opening(each)}"


def opening(each: Opening) -> str:
    """What has to be let in, in a line."""
    port = f" port {each.port}" if each.port else ""
    who = f"from {', '.join(each.sources[:3])}" if each.sources else "from everybody"
    more = f" and {len(each.sources) - 3} more" if len(each.sources) > 3 else ""
    return f"{each.protocol}{port} {who}{more} ({each.why})"


def way(plan: NetworkPlan, source: str, target: str) -> Iterator[str]:
    """What happens to a packet from one host to another, hop by hop."""
    here, end = _known(plan, source), _known(plan, target)
    ends = [f"{each.name} {each.private or each.official}" for each in (here, end)]
    yield f"{' to '.join(ends)}, mode {plan.mode}"
    if not here.device:
        yield {
            "outbound": "no way: guests reach the master's port only",
            "hub": f"guest to guest through the hub, as one Ethernet: {here.private} and {end.private}",
        }.get(plan.mode, f"on the same wire, by ARP, from {here.official} to {end.official}")
        return
    for name in hops(plan, source, target)[1:]:
        peer = next(each for each in here.peers if each.name == name)
        old = peer in here.legacy
        how = f"; legacy: {LEGACY}" if old else ""
        yield (
            f"{here.name} puts it into {'ESP' if old else here.device}: outer header {here.official} to"
            f" {peer.endpoint or 'where it called from'} ({peer.name}), at most {here.mtu} bytes inside{how}"
        )
        here = plan.by_name[name]


def hops(plan: NetworkPlan, source: str, target: str) -> list[str]:
    """The hosts that a packet passes, both ends included."""
    address, here, passed = IPv4Address(_known(plan, target).private), source, [source]
    while here != target:
        here = next_hop(plan.by_name[here], address).name
        passed.append(here)
    return passed


def next_hop(plan: HostPlan, address: IPv4Address) -> Peer:
    """The peer with the longest route to an address."""
    ways = [
        (IPv4Network(route).prefixlen, peer)
        for peer in plan.peers
        for route in peer.routes
        if address in IPv4Network(route)
    ]
    return max(ways, key=lambda each: each[0])[1]


def _known(plan: NetworkPlan, name: str) -> HostPlan:
    if name not in plan.by_name:
        raise EyrieError(f"host {name}", seen="not in the pool's network", wanted="one of its hosts")
    return plan.by_name[name]
