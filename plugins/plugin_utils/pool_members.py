# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eyrie.openmosix.facts import NodeFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def addresses(hostvars: Any, names: Iterable[str]) -> dict[str, str]:
    """Return the address by which each host is a node."""
    return {name: str(_address(hostvars[name])) for name in names}


def _address(variables: Any) -> Any:
    if "openmosix_tools_address" in variables:
        return variables["openmosix_tools_address"]
    return variables["ansible_host"] if "ansible_host" in variables else variables["inventory_hostname"]


def registered(hostvars: Any, names: Iterable[str], variable: str) -> Iterator[tuple[str, NodeFacts | None]]:
    """Return what `openmosix_info` registered for each host; None for one that was not reached."""
    for name in names:
        values = hostvars.raw_get(name).get(variable)
        told = isinstance(values, dict) and not values.get("unreachable") and not values.get("failed")
        yield name, NodeFacts.from_dict(values["openmosix"]) if told else None  # type: ignore[index]
