# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eyrie.errors import EyrieError
from eyrie.hub.guard import guest_mac
from eyrie.hub.settings import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def hub_guests(names: list[str], hostvars: Mapping[str, Any], pool: str) -> list[dict[str, Any]]:
    """Return the hub's list: the desktops among these whose guest has an address in the pool's Ethernet."""
    guests = []
    for name in names:
        variables = hostvars[name]
        address = variables.get("pool_hub_guest_address", "")
        if address:
            own = variables.get("agent_name") or variables.get("windows_agent_name")
            desktop = str(own or name.split(".")[0])
            macs = variables.get("pool_hub_guest_macs") or [guest_mac(pool, desktop)]
            guests.append({"name": desktop, "macs": list(macs), "address": str(address)})
    return sorted(guests, key=lambda guest: str(guest["name"]))


def hub_config_error(configuration: Any) -> str:
    """Return the sentence that says what is wrong with a hub's configuration, or an empty one."""
    try:
        parse(configuration, "hub configuration")
    except EyrieError as error:
        return str(error)
    return ""


class FilterModule:
    """What the role pool_hub needs of the core."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {"hub_guests": hub_guests, "hub_config_error": hub_config_error, "guest_mac": _mac}


def _mac(name: str, pool: str) -> str:
    return guest_mac(pool, name)
