# SPDX-License-Identifier: GPL-3.0-or-later
"""Check and complete the wished nodes of a master; what is left open follows from a node's name alone."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eyrie.errors import EyrieError

VARIABLE = "openmosix_vm_nodes"
MEMORY = range(48, 897)  # a kernel of 2004 without high memory sees no more
_FIELDS = {"name", "address", "mac", "memory_mib"}
# It becomes the name of a unit, a folder and a host.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_MAC = re.compile(r"[0-9a-f][02468ace](:[0-9a-f]{2}){5}")
_OPTIONS = re.compile(r"[A-Za-z0-9_=.,:/ -]*")
_KERNEL_LINE = 255  # of an i386 kernel of 2004, its end included


@dataclass(frozen=True)
class NodeVm:
    """One node: its virtual machine's parts and the kernel's command line."""

    name: str
    address: str
    mac: str
    memory_mib: int
    tap: str
    append: str


def node_vms(nodes: Any, network: str, gateway: str = "", options: str = "") -> tuple[NodeVm, ...]:
    """Return the virtual machines of the wished nodes, or raise an EyrieError that names what is wrong."""
    net = _network(network)
    if gateway:
        _address("openmosix_vm_gateway", gateway, net)
    if not _OPTIONS.fullmatch(options):
        raise _wrong("openmosix_vm_init_options", options, "NAME=VALUE words of letters and digits")
    if not isinstance(nodes, Sequence) or isinstance(nodes, str):
        raise _wrong(VARIABLE, nodes, "a list of nodes")
    found = tuple(_node(node, net, gateway, options) for node in nodes)
    for what in ("name", "address", "mac", "tap"):
        _refuse_twice(what, [getattr(node, what) for node in found])
    if gateway in [node.address for node in found if gateway]:
        raise _wrong("openmosix_vm_gateway", gateway, "an address that no node has")
    return found


def as_mappings(vms: Iterable[NodeVm]) -> list[dict[str, Any]]:
    """Return the virtual machines as plain values, for templates."""
    return [asdict(vm) for vm in vms]


def _node(node: Any, net: ipaddress.IPv4Network, gateway: str, options: str) -> NodeVm:
    if not isinstance(node, Mapping) or not {"name", "address"} <= node.keys() <= _FIELDS:
        raise _wrong(VARIABLE, node, "a mapping of name and address, maybe mac and memory_mib")
    name, address = node["name"], node["address"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _wrong(f"{VARIABLE}: name", name, "small letters, digits and '-', at most 32")
    _address(f"{VARIABLE}: {name}: address", address, net)
    digest = hashlib.sha256(f"{name} {address}".encode()).hexdigest()
    mac = node.get("mac") or "52:54:00:" + ":".join(digest[at : at + 2] for at in (0, 2, 4))
    if not isinstance(mac, str) or not _MAC.fullmatch(mac.lower()):
        raise _wrong(f"{VARIABLE}: {name}: mac", mac, "a hardware address such as 52:54:00:12:34:56")
    memory = node.get("memory_mib", 128)
    if not isinstance(memory, int) or isinstance(memory, bool) or memory not in MEMORY:
        raise _wrong(f"{VARIABLE}: {name}: memory_mib", memory, f"{MEMORY[0]} to {MEMORY[-1]}")
    line = f"root=/dev/ram0 rw init=/sbin/init panic=10 ip={address}::{gateway}:{net.netmask}:{name}::none"
    line = f"{line} {options}".strip()
    if len(line) > _KERNEL_LINE:
        raise _wrong("openmosix_vm_init_options", options, f"a kernel line of {_KERNEL_LINE} bytes at most")
    # Fifteen bytes are all that Linux gives an interface's name.
    tap = "om" + hashlib.sha256(name.encode()).hexdigest()[:10]
    return NodeVm(name, address, mac.lower(), memory, tap, line)


def _network(text: str) -> ipaddress.IPv4Network:
    try:
        net = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise _wrong("openmosix_vm_network", text, "an IPv4 network such as 10.77.0.0/24") from error
    if not 8 <= net.prefixlen <= 30 or net.is_multicast or net.is_loopback:
        raise _wrong("openmosix_vm_network", text, "a network of 4 to 16777216 unicast addresses")
    return net


def _address(what: str, text: Any, net: ipaddress.IPv4Network) -> None:
    try:
        address = ipaddress.IPv4Address(text if isinstance(text, str) else "")
    except ValueError as error:
        raise _wrong(what, text, f"an IPv4 address in {net}") from error
    if address not in net or address in (net.network_address, net.broadcast_address):
        raise _wrong(what, text, f"an address of a host in {net}")


def _refuse_twice(what: str, values: Sequence[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise _wrong(f"{VARIABLE}: {what}", twice[0], "each once")


def _wrong(what: str, seen: object, wanted: str) -> EyrieError:
    return EyrieError(what, seen=seen, wanted=wanted, next_step="correct it in the inventory")
