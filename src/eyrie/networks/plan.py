# SPDX-License-Identifier: GPL-3.0-or-later
"""From subnets, hosts and a mode to what each host gets: address, device, peers, routes, MTU, openings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from eyrie.errors import EyrieError
from eyrie.networks.addresses import assign
from eyrie.networks.model import (
    FOU_PORT,
    HUB_PORT,
    KLIPS,
    TUNNELLED,
    WIREGUARD_PORT,
    Host,
    Kind,
    Mode,
    Topology,
    Wanted,
    device,
)
from eyrie.networks.mtu import inner, legacy, mss
from eyrie.networks.refuse import Refused, refusals, too_many
from eyrie.networks.state import BLOCK, RESTORE, Block, State, disagreement
from eyrie.nodetable.table import dotted

MESH_MOST = 32
"""Hosts that all have tunnels to one another; more go through gateways, so that a new host changes few."""
LEGACY = "IKEv1 with keys in common, 3DES, SHA1 and MODP1536, weak by today's measure"
"""What openMosix nodes have: FreeS/WAN 2.05 offers nothing better."""
KEEPALIVE_SECONDS = 25
"""How often a host behind address translation calls: most middleboxes forget a UDP flow after 30 seconds."""


@dataclass(frozen=True)
class Peer:
    """Another host that packets are handed to directly, and the private networks behind it."""

    name: str
    endpoint: str  # official address; none where only the peer can call
    private: str
    routes: tuple[str, ...]
    kind: Kind = "linux"


@dataclass(frozen=True)
class Opening:
    """What a firewall has to let in; `port` 0: the protocol has none."""

    protocol: str
    port: int
    sources: tuple[str, ...]  # official addresses or networks; none: everybody
    why: str


@dataclass(frozen=True)
class HostPlan:
    """All that one host needs to know."""

    name: str
    kind: Kind
    mode: Mode
    fou: bool
    official: str
    private: str  # its address, in mode hub its guest's; none in mode outbound
    network: str  # the pool's private network
    device: str  # none where no device is made
    mtu: int
    mss: int
    forwards: bool  # carries others' traffic from device to device
    keepalive: int
    peers: tuple[Peer, ...]
    openings: tuple[Opening, ...]

    @property
    def prefix_length(self) -> int:
        return int(self.network.partition("/")[2])

    @property
    def legacy(self) -> tuple[Peer, ...]:
        """Peers that are reached by IKEv1 and weak ciphers, because one of the two is an openMosix node."""
        if self.mode != "ipsec":
            return ()
        return tuple(peer for peer in self.peers if "openmosix" in (self.kind, peer.kind))

    @property
    def behind(self) -> str:
        """The private network that peers reach through this host."""
        return self.network if self.forwards else f"{self.private}/32"


@dataclass(frozen=True)
class NetworkPlan:
    """The whole pool's network."""

    mode: Mode
    topology: Topology
    state: State
    hosts: tuple[HostPlan, ...]
    notes: tuple[str, ...]

    @cached_property
    def by_name(self) -> dict[str, HostPlan]:
        return {host.name: host for host in self.hosts}


def plan(
    wanted: Wanted, state: State | None, *, found: Mapping[str, str] | None = None, new: bool = False
) -> NetworkPlan:
    """Plan the network; `found` are private addresses that hosts carry, `new` begins anew despite them."""
    if not new:
        _refuse_loss(state, found or {})
    topology, why = _topology(wanted)
    if faults := refusals(wanted) + _no_gateway(wanted, topology):
        raise Refused(faults)
    given, notes = assign(wanted, None if new else state)
    peers = _mesh(wanted, given) if topology == "mesh" else _star(wanted, given)
    if faults := [fault for name, each in peers.items() if (fault := too_many(name, wanted.mode, len(each)))]:
        raise Refused(faults)
    link = min((site.mtu for site in wanted.sites), default=1500)
    mtu = inner(wanted.mode, link, wanted.fou)
    old = _old_nodes(wanted)
    if old:
        mtu = min(mtu, legacy(link))
    hosts = tuple(
        _host(wanted, host, given, topology, peers[host.name], mtu)
        for host in sorted(wanted.hosts, key=lambda host: host.name)
    )
    return NetworkPlan(wanted.mode, topology, given, hosts, (*why, *old, *notes))


def _host(
    wanted: Wanted, host: Host, state: State, topology: Topology, peers: tuple[Peer, ...], mtu: int
) -> HostPlan:
    old = wanted.mode == "ipsec" and host.kind == "openmosix"
    return HostPlan(
        name=host.name,
        kind=host.kind,
        mode=wanted.mode,
        fou=wanted.fou,
        official=host.dotted,
        private="" if wanted.mode == "outbound" else dotted(state.addresses[host.name]),
        network=str(wanted.private),
        device=KLIPS if old else device(wanted.mode, wanted.fou),
        mtu=mtu,
        mss=mss(mtu),
        forwards=topology == "star" and host.gateway and wanted.mode in TUNNELLED,
        keepalive=KEEPALIVE_SECONDS if host.nat and wanted.mode == "wireguard" else 0,
        peers=peers,
        openings=_openings(wanted, host, peers),
    )


def _old_nodes(wanted: Wanted) -> tuple[str, ...]:
    """Say of how many hosts the traffic is protected by old means only."""
    count = sum(host.kind == "openmosix" for host in wanted.hosts) if wanted.mode == "ipsec" else 0
    return (f"legacy: {count} openMosix nodes by {LEGACY}",) if count else ()


def _topology(wanted: Wanted) -> tuple[Topology, tuple[str, ...]]:
    """Mesh or star, and in a sentence why."""
    if wanted.mode not in TUNNELLED:
        return "mesh", ()
    if wanted.topology:
        return wanted.topology, (f"{wanted.topology}, as the inventory says",)
    count = len(wanted.hosts)
    hidden = sum(host.nat for host in wanted.hosts)
    if hidden > 1:
        return "star", (f"star: {hidden} hosts behind address translation cannot call one another",)
    if count <= MESH_MOST:
        return "mesh", (f"mesh: {count} hosts, at most {MESH_MOST} have tunnels to one another",)
    return "star", (f"star: {count} hosts, more than {MESH_MOST}; traffic goes through the gateways",)


def _no_gateway(wanted: Wanted, topology: Topology) -> list[EyrieError]:
    if topology == "mesh" or any(host.gateway for host in wanted.hosts):
        return []
    return [
        EyrieError(
            "gateways of the pool's network",
            seen="none",
            wanted="at least one master that carries the traffic of a star",
            next_step="set pool_network_gateway on a master, or pool_network_topology: mesh",
        )
    ]


def _mesh(wanted: Wanted, state: State) -> dict[str, tuple[Peer, ...]]:
    """Everybody to everybody; nothing at all where the wire or the hub does it."""
    if wanted.mode not in TUNNELLED:
        return {host.name: () for host in wanted.hosts}
    ordered = sorted(wanted.hosts, key=lambda host: host.name)
    peers = {host.name: _peer(host, state, (_single(state, host),)) for host in ordered}
    return {host.name: tuple(peer for name, peer in peers.items() if name != host.name) for host in ordered}


def _star(wanted: Wanted, state: State) -> dict[str, tuple[Peer, ...]]:
    """Each host to the gateway of its block, gateways to one another.

    The private address alone decides, so a host that moved to another subnet needs no exception.
    """
    ordered = sorted(wanted.hosts, key=lambda host: host.name)
    gateways = {host.name: host for host in ordered if host.gateway}
    behind: dict[str, list[Host]] = defaultdict(list)
    for host in ordered:
        if not host.gateway:
            behind[_block(state, host).gateway].append(host)
    networks: dict[str, list[str]] = defaultdict(list)
    for block in state.blocks:
        networks[block.gateway].append(f"{dotted(block.start)}/24")
    between = {
        name: _peer(host, state, (_single(state, host), *networks[name])) for name, host in gateways.items()
    }
    upwards = {name: _peer(host, state, (str(wanted.private),)) for name, host in gateways.items()}
    peers: dict[str, tuple[Peer, ...]] = {}
    for name, hosts in behind.items():
        peers.update((host.name, (upwards[name],)) for host in hosts)
    for name in gateways:
        others = tuple(peer for other, peer in between.items() if other != name)
        below = tuple(_peer(host, state, (_single(state, host),)) for host in behind[name])
        peers[name] = others + below
    return peers


def _block(state: State, host: Host) -> Block:
    address = state.addresses[host.name]
    return state.block_of[address - address % BLOCK]


def _single(state: State, host: Host) -> str:
    return f"{dotted(state.addresses[host.name])}/32"


def _peer(host: Host, state: State, routes: tuple[str, ...]) -> Peer:
    endpoint = "" if host.nat else host.dotted
    return Peer(host.name, endpoint, dotted(state.addresses[host.name]), routes, host.kind)


def _openings(wanted: Wanted, host: Host, peers: Sequence[Peer]) -> tuple[Opening, ...]:
    """What the host's firewall has to let in from outside the tunnels."""
    mode = wanted.mode
    sources = tuple(sorted({peer.endpoint for peer in peers if peer.endpoint}))
    if mode == "ipip":
        if wanted.fou:
            return (Opening("udp", FOU_PORT, sources, "IP-in-IP inside UDP (fou)"),)
        return (Opening("ipip", 0, sources, "IP-in-IP, protocol 4"),)
    if mode == "wireguard":
        # A peer behind address translation comes from an address that nobody knows before.
        known = sources if len(sources) == len(peers) else ()
        return (Opening("udp", WIREGUARD_PORT, known, "WireGuard"),)
    if mode == "ipsec" and host.kind == "openmosix":
        return (
            Opening("esp", 0, sources, "IPsec ESP, protocol 50"),
            Opening("udp", 500, sources, "IKEv1"),
        )
    if mode == "ipsec":
        return (
            Opening("esp", 0, sources, "IPsec ESP, protocol 50"),
            Opening("udp", 500, sources, "IKEv2"),
            Opening("udp", 4500, sources, "IKEv2 and ESP inside UDP"),
        )
    if mode == "hub" and host.gateway:
        return (Opening("tcp", HUB_PORT, tuple(_networks(wanted)), "the hub, TLS"),)
    return ()


def _networks(wanted: Wanted) -> Iterable[str]:
    return sorted({str(site.network) for site in wanted.sites})


def _refuse_loss(state: State | None, found: Mapping[str, str]) -> None:
    """Addresses that hosts carry must not be given anew because the file with them is lost or an old one."""
    if state is not None:
        if error := disagreement(state, found):
            raise error
    elif found:
        host, address = next(iter(found.items()))
        raise EyrieError(
            "addresses file",
            seen=f"none, but {len(found)} hosts carry a private address, such as {host} {address}",
            wanted="the addresses that were given",
            next_step=f"{RESTORE}; with --new every host gets another address",
        )
