# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the wanted network comes from: a YAML file, or the variables of an inventory's hosts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any, TypeVar

import yaml

from eyrie.errors import EyrieError
from eyrie.inventory.listing import members
from eyrie.networks.model import KINDS, MODES, Host, Reserved, Site, Wanted, mode_of
from eyrie.nodetable.table import numeric

GROUP = "pool_network"
ADDRESSES = "pool-addresses.yml"
PRIVATE = "10.88.0.0/16"
FAMILIES = {"windows_desktops": "windows", "openmosix_nodes": "openmosix"}
"""What a host of these families is; all others are Linux of today."""
_KEYS = {"mode", "private", "topology", "fou", "legacy_nodes", "subnets", "reserved", "hosts"}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
T = TypeVar("T")


def from_file(text: str | bytes, source: str) -> Wanted:
    """A plan file: mode, subnets and hosts, perhaps private, reserved, topology, fou and
    legacy_nodes.
    """
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, the quick one where there is one
    except (yaml.YAMLError, ValueError) as error:
        raise EyrieError(source, seen=f"no YAML: {error}", wanted="mode, subnets and hosts") from None
    if (
        not isinstance(value, dict)
        or not {"mode", "subnets", "hosts"} <= value.keys()
        or not value.keys() <= _KEYS
    ):
        seen = sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__
        raise EyrieError(source, seen=seen, wanted=f"mode, subnets and hosts, of {', '.join(sorted(_KEYS))}")
    return read(value, source)


def from_variables(hosts: Mapping[str, Mapping[str, Any]], families: Mapping[str, str]) -> Wanted:
    """The hosts of group pool_network by their variables; `families` names the family of each."""
    if not hosts:
        raise EyrieError(
            f"group {GROUP}", seen="no host", wanted="its members", next_step="look at the inventory"
        )
    common = {
        key: _same(f"{GROUP}_{key}", hosts) for key in ("mode", "private", "topology", "subnets", "reserved")
    }
    listed = {}
    for name, variables in hosts.items():
        family = families.get(name, "")
        listed[name] = {
            "address": _own(variables, name),
            "kind": FAMILIES.get(family, "linux"),
            "gateway": _true(variables.get(f"{GROUP}_gateway", family == "masters"), name),
            "nat": _true(variables.get(f"{GROUP}_nat", False), name),
        }
    value = {key: each for key, each in common.items() if each not in (None, "auto")}
    for key in ("fou", "legacy_nodes"):
        value[key] = _true(_same(f"{GROUP}_{key}", hosts) or False, "all")
    value["hosts"] = listed
    return read({"mode": "outbound", "subnets": [], **value}, "inventory")


def from_listing(listing: Mapping[str, Any]) -> Wanted:
    """What `ansible-inventory --list` prints; no variable of the network may be a template there."""
    variables = listing.get("_meta", {}).get("hostvars", {})
    names = members(listing, GROUP)
    families = {
        name: family
        for family in ("masters", "linux_desktops", *FAMILIES)
        for name in members(listing, family)
    }
    return from_variables({name: variables.get(name, {}) for name in names}, families)


def read(value: Mapping[str, Any], source: str) -> Wanted:
    """Values as YAML gives them."""
    mode = mode_of(str(value["mode"]))
    if mode is None:
        raise EyrieError(f"{source}: mode", seen=value["mode"], wanted=f"one of {', '.join(MODES)}")
    topology = value.get("topology")
    if topology not in (None, "mesh", "star"):
        raise EyrieError(f"{source}: topology", seen=topology, wanted="auto, mesh or star")
    hosts = _of(value["hosts"], dict, f"{source}: hosts")
    return Wanted(
        mode=mode,
        sites=tuple(_site(each, source) for each in _of(value["subnets"], list, f"{source}: subnets")),
        hosts=tuple(_host(str(name), each, source) for name, each in hosts.items()),
        private=_network(value.get("private") or PRIVATE, f"{source}: private"),
        reserved=tuple(
            Reserved(str(each.get("name", "a network")), _network(each.get("network"), f"{source}: reserved"))
            for each in map(_mapping, _of(value.get("reserved") or [], list, f"{source}: reserved"))
        ),
        topology=topology,
        fou=_true(value.get("fou", False), source),
        legacy_nodes=_true(value.get("legacy_nodes", False), source),
    )


def _site(value: Any, source: str) -> Site:
    given = _mapping(value)
    if not {"name", "network"} <= given.keys() or not given.keys() <= {"name", "network", "mtu"}:
        raise EyrieError(f"{source}: subnet", seen=value, wanted="name and network, and perhaps mtu")
    mtu = given.get("mtu", 1500)
    if type(mtu) is not int:
        raise EyrieError(f"{source}: subnet {given['name']}: mtu", seen=mtu, wanted="a number of bytes")
    return Site(str(given["name"]), _network(given["network"], f"{source}: subnet {given['name']}"), mtu)


def _host(name: str, value: Any, source: str) -> Host:
    given = {"address": value} if isinstance(value, str) else _mapping(value)
    where = f"{source}: host {name}"
    if "address" not in given or not given.keys() <= {"address", "kind", "gateway", "nat"}:
        raise EyrieError(where, seen=value, wanted="an address, and perhaps kind, gateway and nat")
    kind = next((each for each in KINDS if each == given.get("kind", "linux")), None)
    if kind is None:
        raise EyrieError(f"{where}: kind", seen=given["kind"], wanted=f"one of {', '.join(KINDS)}")
    try:
        address = numeric(str(given["address"]))
    except ValueError:
        raise EyrieError(
            f"{where}: address", seen=given["address"], wanted="an IPv4 address of four octets"
        ) from None
    gateway, nat = (_true(given.get(key, False), where) for key in ("gateway", "nat"))
    return Host(name, address, kind, gateway, nat)


def _network(value: Any, thing: str) -> IPv4Network:
    try:
        return IPv4Network(str(value))
    except ValueError as error:
        raise EyrieError(thing, seen=value, wanted=f"such as {PRIVATE}", next_step=str(error)) from None


def _mapping(value: Any) -> Mapping[str, Any]:
    return _of(value, dict, "entry")


def _of(value: Any, kind: type[T], thing: str) -> T:
    if not isinstance(value, kind):
        raise EyrieError(thing, seen=value, wanted="a mapping" if kind is dict else "a list")
    return value


def _true(value: Any, thing: str) -> bool:
    if not isinstance(value, bool):
        raise EyrieError(f"{thing}: yes or no", seen=value, wanted="true or false")
    return value


def _own(variables: Mapping[str, Any], name: str) -> str:
    value = str(variables.get(f"{GROUP}_address", "{{ ansible_host }}"))
    if re.fullmatch(r"\{\{\s*ansible_host\s*\}\}", value):
        value = str(variables.get("ansible_host", name))
    return value


def _same(variable: str, hosts: Mapping[str, Mapping[str, Any]]) -> Any:
    """A variable that must be the same on every host, because the pool has one network."""
    (first, variables), *rest = hosts.items()
    for name, others in rest:
        if others.get(variable) != variables.get(variable):
            raise EyrieError(
                variable,
                seen=f"not the same on {first} and {name}",
                wanted="one for the pool: set it on the group",
            )
    return variables.get(variable)
