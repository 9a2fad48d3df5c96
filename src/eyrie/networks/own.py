# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ip -4 -o address show` says of a host: whether its official address is its own; its private one."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network

from eyrie.errors import EyrieError

_LINE = re.compile(r"^\d+: (\S+?)(?:@\S+)? +inet ([0-9.]+)/", re.MULTILINE)


def addresses(output: str) -> dict[str, str]:
    """Address to device."""
    return {address: device for device, address in _LINE.findall(output)}


def private(output: str, network: IPv4Network) -> str:
    """The host's address of the pool's network, or nothing."""
    found = [each for each in addresses(output) if IPv4Address(each) in network]
    return found[0] if found else ""


def translated(name: str, official: str, output: str) -> EyrieError | None:
    """A host whose official address no interface of its own has is behind address translation."""
    if official in (have := addresses(output)):
        return None
    return EyrieError(
        f"host {name}: address",
        seen=f"{official}, which none of its interfaces has ({', '.join(sorted(have)) or 'none'})",
        wanted="its interface's own address: address translation or a forwarded port is in between",
        next_step="set pool_network_address to its own, or pool_network_nat: true (WireGuard only)",
    )
