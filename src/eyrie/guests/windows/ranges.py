# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of numbers as sorted, disjoint ranges: what addresses and ports of a firewall rule come down to."""

from __future__ import annotations

import ipaddress
from typing import Iterable, Tuple

Ranges = Tuple[Tuple[int, int], ...]
PORTS = (0, 65535)
V4 = (0, (1 << 32) - 1)
V6 = (0, (1 << 128) - 1)


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return the same numbers as the fewest ranges."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


def without(whole: tuple[int, int], numbers: Iterable[int]) -> Ranges:
    """Return all numbers but some."""
    result, low = [], whole[0]
    for number in sorted(set(numbers)):
        if low < number:
            result.append((low, number - 1))
        low = number + 1
    if low <= whole[1]:
        result.append((low, whole[1]))
    return tuple(result)


def parse_addresses(text: str) -> tuple[int, int]:
    """Read an address, a range or a subnet of one family, as the registry writes them; raises ValueError."""
    low, dash, high = text.partition("-")
    if dash:
        return int(ipaddress.ip_address(low)), int(ipaddress.ip_address(high))
    network = ipaddress.ip_network(text, strict=False)
    return int(network.network_address), int(network.broadcast_address)


def parse_ports(text: str) -> tuple[int, int]:
    """Read a port or a range of ports; raises ValueError."""
    low, dash, high = text.partition("-")
    return int(low), int(high if dash else low)


def words(family: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address], ranges: Ranges) -> list[str]:
    """Return addresses the way netsh takes them."""
    return [str(family(low)) if low == high else f"{family(low)}-{family(high)}" for low, high in ranges]
