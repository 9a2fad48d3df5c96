# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyrie.networks import NetworkPlan, Wanted, plan
from eyrie.networks.sources import FAMILIES, read
from eyrie.networks.state import load

if TYPE_CHECKING:
    from collections.abc import Mapping

WANTED = {
    "mode": {"type": "str", "required": True},
    "subnets": {"type": "list", "elements": "dict", "required": True},
    "private": {"type": "str", "default": "10.88.0.0/16"},
    "reserved": {"type": "list", "elements": "dict", "default": []},
    "topology": {"type": "str", "choices": ["auto", "mesh", "star"], "default": "auto"},
    "fou": {"type": "bool", "default": False},
    "legacy_nodes": {"type": "bool", "default": False},
}
"""Options that say which network is wanted."""
FILES = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "addresses_file": {"type": "path", "required": True},
}
MOST_TARGETS = 40
"""Hosts that one host asks; in a larger pool those it has tunnels to, and one behind each of the others."""


def wanted(arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> Wanted:
    """Return what the options and the hosts' variables ask for."""
    values = {key: arguments[key] for key in WANTED}
    values["topology"] = None if values["topology"] == "auto" else values["topology"]
    hostvars = variables["hostvars"]
    values["hosts"] = {name: _entry(hostvars[name], name) for name in arguments["hosts"]}
    return read(values, "pool_network")


def planned(arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> NetworkPlan:
    """Return the plan as the last run left it."""
    path = Path(arguments["addresses_file"])
    state = load(path.read_bytes(), path.name) if path.exists() else None
    return plan(wanted(arguments, variables), state)


def told(names: list[str], variables: Mapping[str, Any], variable: str | None) -> dict[str, str]:
    """Return the standard output that each host registered, of those that were reached."""
    found = {}
    for name in names if variable else ():
        values = variables["hostvars"].raw_get(name).get(variable)
        if isinstance(values, dict) and values.get("rc") == 0 and not values.get("unreachable"):
            found[name] = str(values.get("stdout", ""))
    return found


def targets(done: NetworkPlan, name: str) -> list[str]:
    """Return the private addresses that a host asks."""
    if len(done.hosts) <= MOST_TARGETS:
        return [host.private for host in done.hosts if host.name != name]
    near = [peer.private for peer in done.by_name[name].peers]
    blocks = {host.private.rpartition(".")[0]: host.private for host in done.hosts if host.name != name}
    return sorted({*near[:MOST_TARGETS], *blocks.values()})


def _entry(variables: Mapping[str, Any], name: str) -> dict[str, Any]:
    groups = variables["group_names"]
    address = variables.get("pool_network_address") or variables.get("ansible_host", name)
    return {
        "address": str(address),
        "kind": next((kind for family, kind in FAMILIES.items() if family in groups), "linux"),
        "gateway": bool(variables.get("pool_network_gateway", "masters" in groups)),
        "nat": bool(variables.get("pool_network_nat", False)),
    }
