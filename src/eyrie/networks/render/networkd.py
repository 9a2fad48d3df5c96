# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of systemd-networkd for the pool's device: it has nothing to do with who manages the office's."""

from __future__ import annotations

from eyrie.networks.model import FOU_PORT, WIREGUARD_PORT
from eyrie.networks.plan import HostPlan, Peer

FOLDER = "/etc/systemd/network"
DEVICES = ("eyrie-ipip", "eyrie-fou", "eyrie-wg")
FOU = "60-eyrie-fou-port.netdev"
KEY = "/etc/eyrie/network/wireguard.key"
TTL = 64
"""Of the outer header: inherited, a TTL of 1 would end at the first router, and path MTU be unknown."""
HEAD = "# Written by Eyrie: site.yml writes it again.\n"


def names(device: str) -> tuple[str, str]:
    """The files of a device."""
    return f"60-{device}.netdev", f"60-{device}.network"


def render(plan: HostPlan, public_keys: dict[str, str]) -> dict[str, str]:
    """The units by file name."""
    netdev, network = names(plan.device)
    if plan.mode == "wireguard":
        return {netdev: _wireguard(plan, public_keys), network: _network(plan)}
    found = {netdev: _ipip(plan), network: _network(plan)}
    if plan.fou:
        found[FOU] = _unit(
            ("NetDev", ["Name=eyrie-fou-port", "Kind=fou"]),
            ("FooOverUDP", [f"Port={FOU_PORT}", "Encapsulation=FooOverUDP", "Protocol=ipip"]),
        )
    return found


def _ipip(plan: HostPlan) -> str:
    """One device for all peers: the route of each names the outer address."""
    lines = ["Independent=yes", f"Local={plan.official}", "Remote=any", f"TTL={TTL}", "DiscoverPathMTU=yes"]
    if plan.fou:
        ports = [f"FOUDestinationPort={FOU_PORT}", f"FOUSourcePort={FOU_PORT}"]
        lines += ["FooOverUDP=yes", "Encapsulation=FooOverUDP", *ports]
    return _unit(_netdev(plan, "ipip"), ("Tunnel", lines))


def _wireguard(plan: HostPlan, public_keys: dict[str, str]) -> str:
    sections = [
        _netdev(plan, "wireguard"),
        ("WireGuard", [f"ListenPort={WIREGUARD_PORT}", f"PrivateKeyFile={KEY}"]),
    ]
    # A host that was never reached has made no key yet: the others do not wait for it.
    for peer in plan.peers:
        if key := public_keys.get(peer.name):
            sections.append(("WireGuardPeer", _peer(plan, peer, key)))
    return _unit(*sections)


def _peer(plan: HostPlan, peer: Peer, key: str) -> list[str]:
    lines = [f"PublicKey={key}", f"AllowedIPs={','.join(peer.routes)}"]
    if peer.endpoint:
        lines.append(f"Endpoint={peer.endpoint}:{WIREGUARD_PORT}")
    if plan.keepalive:
        lines.append(f"PersistentKeepalive={plan.keepalive}")
    return lines


def _network(plan: HostPlan) -> str:
    """Address and routes: all of the private network belongs to the device, nothing of it goes elsewhere."""
    # A desktop's network is up without the pool's.
    link = ("Link", ["RequiredForOnline=no"])
    options = ["LinkLocalAddressing=no", "IPv6AcceptRA=no"]
    if plan.forwards:
        options.append("IPv4Forwarding=yes")
    match = ("Match", [f"Name={plan.device}"])
    if plan.mode == "wireguard":
        # Which peer a packet is for follows from AllowedIPs; an address of nobody is refused at once.
        network = ("Network", [f"Address={plan.private}/{plan.prefix_length}", *options])
        return _unit(match, link, network)
    routes = [
        (
            "Route",
            [
                f"Destination={route}",
                f"Gateway={peer.endpoint}",
                "GatewayOnLink=yes",
                f"PreferredSource={plan.private}",
            ],
        )
        for peer in plan.peers
        for route in peer.routes
    ]
    if plan.network not in {route for peer in plan.peers for route in peer.routes}:
        routes.append(("Route", [f"Destination={plan.network}", "Type=unreachable", "Metric=4096"]))
    return _unit(match, link, ("Network", [f"Address={plan.private}/32", *options]), *routes)


def _netdev(plan: HostPlan, kind: str) -> tuple[str, list[str]]:
    return "NetDev", [f"Name={plan.device}", f"Kind={kind}", f"MTUBytes={plan.mtu}"]


def _unit(*sections: tuple[str, list[str]]) -> str:
    return HEAD + "\n".join(
        f"[{name}]\n" + "".join(f"{line}\n" for line in lines) for name, lines in sections
    )
