# SPDX-License-Identifier: GPL-3.0-or-later
"""The network a lab wants: one declarative spec for each namespace. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from eyrie.lab.model import Host, Subnet, Topology, interface

BRIDGE = "lan"
UPLINK = "up"
HOST_INTERFACE = "eth0"
TAP = "tap0"


@dataclass(frozen=True)
class NamespaceSpec:
    """A namespace, the links it must hold, and the `ip` commands, each with the namespace it runs in."""

    name: str
    links: tuple[str, ...]
    # Links that the commands make, whose left-overs go first; of a veth pair the far end: both go together.
    makes: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, str], ...]
    forwards: bool = False

    @property
    def mark(self) -> str:
        """The alias of `lo`, set last: a namespace with this mark was built to the end from this spec."""
        return f"eyrie:{hashlib.sha256(repr(self).encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class NamespaceState:
    """What is there now: the links of a namespace and the mark it carries."""

    links: frozenset[str]
    mark: str


States = Mapping[str, NamespaceState]


def is_built(spec: NamespaceSpec, states: States) -> bool:
    """Whether the namespace is there as the spec wants it."""
    state = states.get(spec.name)
    return state is not None and state.mark == spec.mark and state.links.issuperset(spec.links)


def left_overs(spec: NamespaceSpec, states: States) -> tuple[tuple[str, str], ...]:
    """Return the (namespace, link) pairs in the way of building the spec."""
    return tuple(
        (where, link) for where, link in spec.makes if where in states and link in states[where].links
    )


def subnet_spec(topology: Topology, subnet: Subnet) -> NamespaceSpec:
    """Return a subnet: a bridge, alone in its namespace, so that equal addresses of two labs never meet."""
    name = topology.subnet_namespace(subnet)
    commands = (
        (name, f"link add dev {BRIDGE} type bridge forward_delay 0"),
        (name, f"link set dev {BRIDGE} up"),
    )
    return NamespaceSpec(name, (BRIDGE,), ((name, BRIDGE),), commands)


def router_spec(topology: Topology) -> NamespaceSpec:
    """Return the router: the first address of every subnet, forwarding between them."""
    name = topology.router_namespace
    links, makes, commands = [], [], []
    for subnet in topology.subnets:
        leg, far = router_leg(subnet), topology.subnet_namespace(subnet)
        links.append(leg)
        makes.append((far, UPLINK))
        commands += [
            (name, f"link add dev {leg} type veth peer name {UPLINK} netns {far}"),
            (name, f"address add {subnet.router}/{subnet.network.prefixlen} dev {leg}"),
            (name, f"link set dev {leg} up"),
            (far, f"link set dev {UPLINK} master {BRIDGE} up"),
        ]
    return NamespaceSpec(name, tuple(links), tuple(makes), tuple(commands), forwards=True)


def host_spec(topology: Topology, host: Host) -> NamespaceSpec:
    """Return a host's connection to its subnet."""
    return _vm_spec(topology, host) if host.is_emulated else _container_spec(topology, host)


def _container_spec(topology: Topology, host: Host) -> NamespaceSpec:
    """Addresses are set here, before the container boots, so nothing inside need know about networks."""
    name, far = topology.host_namespace(host), topology.subnet_namespace(host.subnet)
    commands = (
        (
            name,
            f"link add dev {HOST_INTERFACE} address {host.mac} type veth peer name {port(host)} netns {far}",
        ),
        (name, f"address add {host.address}/{host.subnet.network.prefixlen} dev {HOST_INTERFACE}"),
        (name, f"link set dev {HOST_INTERFACE} up"),
        (name, f"route add default via {host.subnet.router}"),
        (far, f"link set dev {port(host)} master {BRIDGE} up"),
    )
    return NamespaceSpec(name, (HOST_INTERFACE,), ((far, port(host)),), commands)


def _vm_spec(topology: Topology, host: Host) -> NamespaceSpec:
    """QEMU runs in a namespace of its own, whose bridge joins the tap to the cable: cut like any host's."""
    name, far = topology.host_namespace(host), topology.subnet_namespace(host.subnet)
    commands = (
        (name, f"link add dev {BRIDGE} type bridge forward_delay 0"),
        (name, f"link set dev {BRIDGE} up"),
        (name, f"tuntap add dev {TAP} mode tap"),
        (name, f"link set dev {TAP} master {BRIDGE} up"),
        (name, f"link add dev {UPLINK} type veth peer name {port(host)} netns {far}"),
        (name, f"link set dev {UPLINK} master {BRIDGE} up"),
        (far, f"link set dev {port(host)} master {BRIDGE} up"),
    )
    makes = ((name, BRIDGE), (name, TAP), (far, port(host)))
    return NamespaceSpec(name, (BRIDGE, TAP, UPLINK), makes, commands)


def router_leg(subnet: Subnet) -> str:
    """Return the router's interface in a subnet."""
    return interface("to-", subnet.name)


def port(host: Host) -> str:
    """Return the bridge port of a host."""
    return interface("h-", host.name)
