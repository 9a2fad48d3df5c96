# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a lab's file (`inventory/lab/lab.yml`) into a Topology, refusing what cannot work."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterable, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from eyrie.errors import EyrieError
from eyrie.lab.model import Host, Subnet, Topology, derived_mac

PLUGIN = "eyrie.pool.lab"
KINDS = ("container", "vm", "pc", "pc-grub-legacy", "openmosix", "windows")
LAB_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}(?<!-)")
HOST_NAME = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")
GROUP_NAME = re.compile(r"[a-z_][a-z0-9_]*")
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
MEMORY_MIB = (192, 65536)
# A kernel of 2004 without HIGHMEM sees no more; its root file system alone takes 16.
NODE_MEMORY_MIB = (64, 896)
NODE_GROUP = "openmosix_nodes"
# Kinds of host that Ansible must be told how to speak to.
FAMILY = {"openmosix": NODE_GROUP, "windows": "windows_desktops"}
CPUS = (1, 64)
SMALLEST_PREFIX = 29  # a router and at least five hosts


class _UniqueKeys(yaml.SafeLoader):
    """A loader that refuses a key given twice: YAML would silently keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build the mapping, or say which name is given twice."""
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise EyrieError(
                    f"lab file line {key_node.start_mark.line + 1}: name given twice",
                    seen=key,
                    wanted="every name once",
                    next_step="rename or remove one of them",
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load(path: Path, name: str | None = None) -> Topology:
    """Read `path` (a lab.yml, or the directory that holds one); `name` overrides the lab's name."""
    file = path / "lab.yml" if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EyrieError(
            f"lab file {file}", seen=str(error), wanted="a readable YAML file", next_step="name it with --lab"
        ) from error
    return parse_text(text, str(file), name)


def parse_text(text: str, source: str, name: str | None = None) -> Topology:
    """Parse the YAML text of a lab file."""
    try:
        document = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 # derived from SafeLoader
    except yaml.YAMLError as error:
        raise EyrieError(f"{source}: not YAML", seen=str(error), next_step="correct the file") from error
    return parse(document, source, name)


def parse(document: object, source: str, name: str | None = None) -> Topology:
    """Turn the parsed document into a Topology; every rule of the lab is checked here."""
    top = _mapping(
        document, source, allowed=("plugin", "name", "subnets", "hosts"), required=("subnets", "hosts")
    )
    if top.get("plugin", PLUGIN) != PLUGIN:
        raise EyrieError(f"{source}: plugin", seen=top["plugin"], wanted=PLUGIN, next_step="correct it")
    lab = _name(
        name if name is not None else top.get("name"), f"{source}: name", LAB_NAME, "at most 20 letters"
    )
    subnets = [
        _subnet(key, value, f"{source}: subnets")
        for key, value in _items(top["subnets"], f"{source}: subnets")
    ]
    by_name = {subnet.name: subnet for subnet in subnets}
    where = f"{source}: hosts"
    hosts = [_host(key, value, where, lab, by_name) for key, value in _items(top["hosts"], where)]
    _refuse_overlaps(subnets, source)
    _refuse_twice(((host.name, host.address) for host in hosts), f"{where}: address")
    _refuse_twice(((host.name, host.mac) for host in hosts), f"{where}: mac")
    return Topology(lab, tuple(subnets), tuple(hosts))


def _host(key: object, value: object, where: str, lab: str, subnets: Mapping[str, Subnet]) -> Host:
    name = _name(key, f"{where}: name", HOST_NAME, "at most 32 letters")
    here = f"{where}.{name}"
    allowed = ("kind", "subnet", "address", "mac", "groups", "memory_mib", "cpus")
    given = _mapping(value, here, allowed=allowed, required=("kind", "subnet", "address"))
    kind = _choice(given["kind"], f"{here}.kind", KINDS)
    subnet = subnets[_choice(given["subnet"], f"{here}.subnet", tuple(subnets))]
    is_node = kind == "openmosix"
    groups = _groups(given.get("groups", []), f"{here}.groups")
    family = FAMILY.get(kind)
    if family and family not in groups:
        wanted = f"{family} among them, which tells Ansible how to speak to such a host"
        raise EyrieError(f"{here}.groups", seen=list(groups), wanted=wanted, next_step="add it")
    return Host(
        name=name,
        kind=kind,
        subnet=subnet,
        address=_address(given["address"], f"{here}.address", subnet),
        mac=_mac(given.get("mac", derived_mac(lab, name)), f"{here}.mac"),
        groups=groups,
        memory_mib=_integer(
            given.get("memory_mib", 128 if is_node else 512),
            f"{here}.memory_mib",
            NODE_MEMORY_MIB if is_node else MEMORY_MIB,
        ),
        cpus=_integer(given.get("cpus", 1), f"{here}.cpus", CPUS),
    )


def _subnet(key: object, value: object, where: str) -> Subnet:
    name = _name(key, f"{where}: name", HOST_NAME, "at most 32 letters")
    given = _mapping(value, f"{where}.{name}", allowed=("network",), required=("network",))
    thing, wanted = f"{where}.{name}.network", f"a network such as 10.77.1.0/24, /{SMALLEST_PREFIX} or larger"
    try:
        network = IPv4Network(given["network"] if isinstance(given["network"], str) else "")
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise EyrieError(
            thing, seen=given["network"], wanted=wanted, next_step=f"correct it ({error})"
        ) from error
    if network.prefixlen > SMALLEST_PREFIX:
        raise EyrieError(thing, seen=str(network), wanted=wanted, next_step="give it a shorter prefix")
    return Subnet(name, network)


def _address(value: object, thing: str, subnet: Subnet) -> IPv4Address:
    wanted = f"a free address of {subnet.network} ({subnet.name})"
    try:
        address = IPv4Address(value if isinstance(value, str) else "")
    except AddressValueError as error:
        raise EyrieError(thing, seen=value, wanted=wanted, next_step="correct it") from error
    if address not in subnet.network:
        raise EyrieError(thing, seen=value, wanted=wanted, next_step="correct the address or the subnet")
    taken = {
        subnet.router: "the router's",
        subnet.network.network_address: "the network's own",
        subnet.network.broadcast_address: "the broadcast address",
    }
    if address in taken:
        raise EyrieError(thing, seen=f"{value} ({taken[address]})", wanted=wanted, next_step="choose another")
    return address


def _mac(value: object, thing: str) -> str:
    mac = value.lower() if isinstance(value, str) else ""
    # The lowest bit of the first byte marks group addresses, which no host may have.
    if not MAC.fullmatch(mac) or int(mac[:2], 16) & 1:
        raise EyrieError(
            thing, seen=value, wanted="a unicast MAC such as 02:00:00:00:00:01", next_step="correct it"
        )
    return mac


def _groups(value: object, thing: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(
        isinstance(group, str) and GROUP_NAME.fullmatch(group) for group in value
    ):
        wanted = "a list of group names (lower-case letters, digits, underscores)"
        raise EyrieError(thing, seen=value, wanted=wanted, next_step="correct it")
    return tuple(value)


def _integer(value: object, thing: str, limits: tuple[int, int]) -> int:
    low, high = limits
    if type(value) is not int or not low <= value <= high:
        raise EyrieError(
            thing, seen=value, wanted=f"a whole number from {low} to {high}", next_step="correct it"
        )
    return value


def _choice(value: object, thing: str, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise EyrieError(
            thing, seen=value, wanted=f"one of {', '.join(choices)}", next_step=_nearest(value, choices)
        )
    return value


def _name(value: object, thing: str, pattern: re.Pattern[str], length: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        wanted = f"lower-case letters, digits and inner dashes, a letter first, {length}"
        raise EyrieError(thing, seen=value, wanted=wanted, next_step="choose another name")
    return value


def _items(value: object, where: str) -> list[tuple[object, object]]:
    if not isinstance(value, dict) or not value:
        raise EyrieError(where, seen=value, wanted="a mapping with at least one entry", next_step="add one")
    return list(value.items())


def _mapping(
    value: object, where: str, *, allowed: tuple[str, ...], required: tuple[str, ...]
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EyrieError(
            where, seen=value, wanted=f"a mapping with {', '.join(required)}", next_step="correct it"
        )
    for key in value:
        if key not in allowed:
            wanted = f"one of {', '.join(allowed)}"
            raise EyrieError(
                f"{where}: unknown key", seen=key, wanted=wanted, next_step=_nearest(key, allowed)
            )
    for key in required:
        if key not in value:
            raise EyrieError(
                f"{where}: missing key {key}", wanted=f"{', '.join(required)}", next_step="add it"
            )
    return value


def _nearest(value: object, choices: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(str(value), choices, 1)
    return f"did you mean {near[0]!r}?" if near else "correct it"


def _refuse_overlaps(subnets: Iterable[Subnet], source: str) -> None:
    for one, two in combinations(subnets, 2):
        if one.network.overlaps(two.network):
            raise EyrieError(
                f"{source}: subnets {one.name} and {two.name} overlap",
                seen=f"{one.network} and {two.network}",
                wanted="networks that share no address",
                next_step="change one of them",
            )


def _refuse_twice(pairs: Iterable[tuple[str, object]], thing: str) -> None:
    first: dict[object, str] = {}
    for host, value in pairs:
        if value in first:
            raise EyrieError(
                thing,
                seen=f"{value} for both {first[value]} and {host}",
                wanted="one host each",
                next_step=f"give {host} another",
            )
        first[value] = host
