# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a guest is, in words on its boot line: no image has to be changed for a desktop.

Words that a kernel does not know reach init and /proc/cmdline. They are written as names of shell variables,
and there are few of them: the whole line has 255 bytes (coLinux 0.6.1, cooperative.h). `ip=` is not used, for
the stock 2.4 configuration has no IP_PNP (conf/linux-config).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

from eyrie.errors import EyrieError
from eyrie.nodetable.table import MAX_NUMBER

MOST_BYTES = 255
_WORD = re.compile(r"eyrie_(pool|name|address|gateway|node|master)=(\S*)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True)
class Identity:
    """What a guest is told of itself and its pool."""

    pool: str
    name: str
    address: IPv4Interface | None = None
    """Its own, with the length of its network; none: DHCP, keyed by the MAC address."""

    gateway: IPv4Address | None = None
    node: int | None = None
    """Its openMosix number."""

    master: IPv4Address | None = None


def words(identity: Identity) -> list[str]:
    """Return the words, in a fixed order."""
    for what in ("pool", "name"):
        if not _NAME.fullmatch(getattr(identity, what)):
            raise EyrieError(
                f"{what} on a guest's boot line",
                seen=getattr(identity, what),
                wanted="letters, digits, dots, dashes and underscores, 63 at most",
            )
    if identity.gateway is not None and (
        identity.address is None or identity.gateway not in identity.address.network
    ):
        raise EyrieError(
            f"gateway of guest {identity.name}",
            seen=str(identity.gateway),
            wanted=f"an address in the guest's own network {identity.address and identity.address.network}",
        )
    told = (
        ("pool", identity.pool),
        ("name", identity.name),
        ("address", identity.address),
        ("gateway", identity.gateway),
        ("node", identity.node),
        ("master", identity.master),
    )
    return [f"eyrie_{key}={value}" for key, value in told if value is not None]


def identity_of(boot: str) -> Identity | None:
    """Read a boot line; None if nobody wrote there who the guest is."""
    told: dict[str, str] = {}
    for word in boot.split():
        if match := _WORD.fullmatch(word):
            if match[1] in told:
                raise EyrieError("boot line", seen=f"eyrie_{match[1]} twice", wanted="each word once")
            told[match[1]] = match[2]
        elif word.startswith("eyrie_"):
            raise EyrieError(
                "boot line", seen=word, wanted="eyrie_ with pool, name, address, gateway, node or master"
            )
    if not told:
        return None
    if not {"pool", "name"} <= told.keys():
        raise EyrieError("boot line", seen=" ".join(sorted(told)), wanted="eyrie_pool and eyrie_name too")
    identity = Identity(
        told["pool"],
        told["name"],
        IPv4Interface(_valid("address", told["address"], _interface)) if "address" in told else None,
        IPv4Address(_valid("gateway", told["gateway"], _address)) if "gateway" in told else None,
        int(_valid("node", told["node"], _number)) if "node" in told else None,
        IPv4Address(_valid("master", told["master"], _address)) if "master" in told else None,
    )
    words(identity)
    return identity


def _valid(key: str, text: str, pattern: re.Pattern[str]) -> str:
    try:
        if not pattern.fullmatch(text):
            raise ValueError
        if key == "node":
            if not 1 <= int(text) <= MAX_NUMBER:
                raise ValueError
        else:
            IPv4Interface(text)
    except ValueError:
        wanted = {"address": "such as 10.77.0.21/24", "node": f"a number from 1 to {MAX_NUMBER}"}
        raise EyrieError(
            f"eyrie_{key} on the boot line", seen=text, wanted=wanted.get(key, "an IPv4 address")
        ) from None
    return text


_address = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_interface = re.compile(rf"{_address.pattern}/[0-9]{{1,2}}")
_number = re.compile(r"[0-9]{1,5}")
