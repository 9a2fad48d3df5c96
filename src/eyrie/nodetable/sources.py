# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a plan's subnets and hosts come from: a YAML file, or what `ansible-inventory --list` prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from eyrie.errors import EyrieError
from eyrie.inventory.listing import members
from eyrie.nodetable.subnets import Subnet, read_subnets

GROUP = "openmosix_tools"
NUMBERS = "openmosix-numbers.yml"
_INVENTORY_DIR = re.compile(r"\{\{\s*inventory_dir\s*\}\}")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Wanted:
    """What is to be numbered, and the file with the numbers given so far."""

    subnets: tuple[Subnet, ...]
    hosts: Mapping[str, str]
    numbers: Path


def from_file(text: str | bytes, source: Path) -> Wanted:
    """A plan file: `subnets`, a list of {name, network, first?, last?}, and `hosts`, name to address."""
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, the quick one where there is one
    except (yaml.YAMLError, ValueError) as error:
        raise EyrieError(str(source), seen=f"no YAML: {error}", wanted="subnets and hosts") from None
    if not isinstance(value, dict) or not value.keys() <= {"subnets", "hosts"} or "subnets" not in value:
        seen = sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__
        raise EyrieError(str(source), seen=seen, wanted="the keys subnets and hosts")
    hosts = value.get("hosts") or {}
    if not isinstance(hosts, dict):
        raise EyrieError(f"{source}: hosts", seen=type(hosts).__name__, wanted="name: address, one a line")
    named = {str(name): str(address) for name, address in hosts.items()}
    return Wanted(read_subnets(_list(value["subnets"], str(source))), named, source.parent / NUMBERS)


def from_inventory(listing: Mapping[str, Any], directory: Path) -> Wanted:
    """The hosts of group openmosix_tools with their openmosix_tools_* variables."""
    variables = listing.get("_meta", {}).get("hostvars", {})
    names = members(listing, GROUP)
    if not names:
        raise EyrieError(
            f"group {GROUP}", seen="no host", wanted="the nodes", next_step="look at the inventory"
        )
    hosts = {name: _address(name, variables.get(name, {})) for name in names}
    subnets = _same(f"{GROUP}_subnets", names, variables)
    numbers = _same(f"{GROUP}_numbers_file", names, variables) or f"{{{{ inventory_dir }}}}/{NUMBERS}"
    path = _INVENTORY_DIR.sub(lambda _: str(directory), str(numbers))
    if "{{" in path:
        raise EyrieError(
            f"{GROUP}_numbers_file", seen=path, wanted="a path", next_step="give it with --numbers"
        )
    return Wanted(read_subnets(_list(subnets, f"{GROUP}_subnets")), hosts, Path(path))


def _list(value: Any, source: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise EyrieError(f"{source}: subnets", seen=value, wanted="a list of {name, network, first?, last?}")
    return value


def _address(name: str, variables: Mapping[str, Any]) -> str:
    value = str(variables.get(f"{GROUP}_address", "{{ ansible_host }}"))
    if re.fullmatch(r"\{\{\s*ansible_host\s*\}\}", value):
        value = str(variables.get("ansible_host", name))
    return value


def _same(variable: str, names: list[str], variables: Mapping[str, Any]) -> Any:
    """A variable that must be the same on every host, because the pool has one table."""
    first = variables.get(names[0], {}).get(variable)
    for name in names:
        if variables.get(name, {}).get(variable) != first:
            raise EyrieError(
                variable,
                seen=f"not the same on {names[0]} and {name}",
                wanted="one for the pool: set it on the group",
            )
    return first
