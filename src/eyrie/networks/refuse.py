# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot work, with the reason, before any host is touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise

from eyrie.errors import EyrieError
from eyrie.networks.model import TUNNELLED, Host, Mode, Wanted
from eyrie.networks.mtu import PARTS, SMALLEST, inner, overhead

MOST_PEERS: dict[Mode, int] = {"ipip": 4096, "wireguard": 4096, "ipsec": 512}
"""Peers that one host may have. IP-in-IP and WireGuard: one device, a route each. IPsec: an IKE connection
with rekeying and dead-peer detection each. Chosen, not measured."""


class Refused(EyrieError):
    """All that is wrong with the network that is wanted."""

    def __init__(self, faults: Sequence[EyrieError]) -> None:
        self.faults = tuple(faults)
        more = f" (and {len(faults) - 1} more: {'; '.join(map(str, faults[1:6]))})" if len(faults) > 1 else ""
        first = faults[0]
        super().__init__(first.thing, seen=first.seen, wanted=first.wanted, next_step=first.next_step + more)


def refusals(wanted: Wanted) -> list[EyrieError]:
    """Every reason why this network cannot be, in a stable order."""
    return [*_places(wanted), *_overlaps(wanted), *_hosts(wanted), *_mode(wanted), *_mtu(wanted)]


def too_many(name: str, mode: Mode, peers: int) -> EyrieError | None:
    """More tunnels on one host than a mode bears."""
    most = MOST_PEERS.get(mode, peers)
    if peers <= most:
        return None
    return EyrieError(
        f"tunnels of host {name}",
        seen=peers,
        wanted=f"at most {most} in mode {mode}",
        next_step="make more masters gateways (pool_network_gateway), or choose another mode",
    )


def _places(wanted: Wanted) -> Iterator[EyrieError]:
    if not wanted.hosts:
        yield EyrieError("pool network", seen="no host", wanted="at least one", next_step="fill its group")
    ordered = sorted(wanted.sites, key=lambda site: site.span)
    for one, two in pairwise(ordered):
        if two.span[0] <= one.span[1]:
            yield EyrieError(
                f"subnets {one.name} and {two.name}",
                seen=f"{one.network} and {two.network}",
                wanted="networks that share no address",
                next_step="correct one of them",
            )
    for host in wanted.hosts:
        site = wanted.site_of(host.address)
        if site is None:
            yield EyrieError(
                f"host {host.name}: address",
                seen=host.dotted,
                wanted=f"one of a subnet of the pool ({_some(s.name for s in wanted.sites)})",
                next_step="correct it, or add its subnet to pool_network_subnets",
            )
        elif site.network.prefixlen < 31 and host.address in site.span:
            yield EyrieError(
                f"host {host.name}: address", seen=host.dotted, wanted=f"a host's address in {site.network}"
            )


def _overlaps(wanted: Wanted) -> Iterator[EyrieError]:
    private = wanted.private
    if not private.is_private or private.prefixlen > 24 or private.prefixlen < 8:
        yield EyrieError(
            "private network",
            seen=str(private),
            wanted="one of RFC 1918 with 8 to 24 bits, such as 10.88.0.0/16",
            next_step="correct pool_network_private",
        )
    others = [(f"subnet {site.name}", site.network) for site in wanted.sites]
    others += [(f"{each.name}, which is reserved", each.network) for each in wanted.reserved]
    for what, network in others:
        if private.overlaps(network):
            yield EyrieError(
                f"private network {private}",
                seen=f"overlaps {network} ({what})",
                wanted="addresses that nobody else uses",
                next_step="choose another pool_network_private",
            )


def _hosts(wanted: Wanted) -> Iterator[EyrieError]:
    names: dict[str, int] = defaultdict(int)
    addresses: dict[int, list[str]] = defaultdict(list)
    for host in wanted.hosts:
        names[host.name] += 1
        addresses[host.address].append(host.name)
    for name, count in names.items():
        if count > 1:
            yield EyrieError(f"host {name}", seen=f"{count} of this name", wanted="one")
    for host in wanted.hosts:
        if len(owners := addresses[host.address]) > 1 and owners[0] == host.name:
            yield EyrieError(
                f"address {host.dotted}",
                seen=_some(owners),
                wanted="one host an address: behind address translation or forwarded ports no tunnel ends",
                next_step="give the address that the host's own interface has",
            )


def _mode(wanted: Wanted) -> Iterator[EyrieError]:
    mode = wanted.mode
    if mode == "shadow":
        sites = {site.name for host in wanted.hosts if (site := wanted.site_of(host.address))}
        if len(sites) > 1:
            yield EyrieError(
                "mode shadow",
                seen=f"hosts in {len(sites)} subnets ({_some(sorted(sites))})",
                wanted="all hosts in one subnet: no router knows the private addresses",
                next_step="choose ipip, wireguard or ipsec for hosts across routers",
            )
    for host in wanted.hosts:
        if reason := _unfit(host, wanted):
            yield EyrieError(
                f"host {host.name} in mode {mode}",
                seen=reason[0],
                wanted=reason[1],
                next_step="choose another mode, or take the host out of group pool_network",
            )
    if mode == "wireguard" and wanted.topology == "mesh":
        hidden = [host.name for host in wanted.hosts if host.nat]
        for one, two in list(combinations(hidden, 2))[:1]:
            yield EyrieError(
                f"hosts {one} and {two}",
                seen="both behind address translation",
                wanted="of each pair one that the other can call",
                next_step="set pool_network_topology: star",
            )


def _unfit(host: Host, wanted: Wanted) -> tuple[str, str] | None:
    """What a host is, and what the mode asks of it."""
    mode = wanted.mode
    if host.kind == "openmosix":
        if host.nat:
            return "behind address translation", "the table's address on the node's own interface (openMosix)"
        if mode == "wireguard" or (mode == "ipsec" and not wanted.legacy_nodes):
            legacy = "; by IKEv1, 3DES and SHA1, which are weak, only with pool_network_legacy_nodes"
            return "a 2.4 kernel", (
                "a kernel with WireGuard or IKEv2: the node has neither" + legacy * (mode == "ipsec")
            )
        if mode == "ipip" and wanted.fou:
            return "a 2.4 kernel", "a kernel with IP-in-IP inside UDP (fou), 3.18 or newer"
    if host.kind == "windows" and mode in (*TUNNELLED, "shadow"):
        return "a Windows desktop", "Linux: its guest joins by mode hub"
    if host.nat and mode in ("ipip", "ipsec"):
        return (
            "behind address translation",
            "its own address seen by all: protocol 4 has no ports to translate",
        )
    if host.gateway and host.nat:
        return "a gateway behind address translation", "a gateway that all can call"
    if host.gateway and host.kind != "linux":
        return f"a gateway of kind {host.kind}", "a Linux master as gateway"
    return None


def _mtu(wanted: Wanted) -> Iterator[EyrieError]:
    if wanted.fou and wanted.mode not in ("ipip",):
        yield EyrieError(
            f"mode {wanted.mode}", seen="pool_network_fou", wanted="mode ipip", next_step="switch it off"
        )
        return
    for site in wanted.sites:
        left = inner(wanted.mode, site.mtu, wanted.fou)
        if left < SMALLEST or site.mtu > 65535:
            takes = overhead(wanted.mode, wanted.fou)
            parts = ", ".join(f"{part.size} {part.what}" for part in PARTS[(wanted.mode, wanted.fou)])
            yield EyrieError(
                f"subnet {site.name}: MTU",
                seen=site.mtu,
                wanted=f"{SMALLEST + takes} to 65535: mode {wanted.mode} takes {takes}"
                f" ({parts or 'nothing'}), and every IPv4 host needs {SMALLEST}",
                next_step="correct its mtu, or choose another mode",
            )


def _some(names: Iterable[str], most: int = 5) -> str:
    everybody = list(names)
    shown = ", ".join(everybody[:most])
    return shown if len(everybody) <= most else f"{shown} and {len(everybody) - most} more"
