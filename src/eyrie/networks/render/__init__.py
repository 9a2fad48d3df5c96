# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts are configured with, as text; pure. A key never comes here: files of keys are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eyrie.networks.plan import HostPlan
from eyrie.networks.render import ike1, networkd, nft, shadow, swanctl


@dataclass(frozen=True)
class File:
    """One file on a host."""

    path: str
    text: str
    kind: Literal["rules", "device", "network", "ipsec", "shadow"]
    """What has to be told when it changes."""
    mode: str = "0644"
    check: str = ""
    """The shell command that must accept it before it replaces another; `%s` stands for the file."""


NFT = "/etc/eyrie/network/network.nft"
SWANCTL = "/etc/swanctl/conf.d/eyrie.conf"
SHADOW = "/etc/eyrie/network/shadow"
OURS = (
    NFT,
    SWANCTL,
    ike1.KEYS,
    SHADOW,
    *(f"{networkd.FOLDER}/{name}" for device in networkd.DEVICES for name in networkd.names(device)),
    f"{networkd.FOLDER}/{networkd.FOU}",
)
"""Every path that any mode writes: what the present one does not write is removed."""


def files(plan: HostPlan, public_keys: dict[str, str] | None = None) -> tuple[File, ...]:
    """The files of a Linux host of today; `public_keys` of WireGuard by host."""
    if plan.mode in ("outbound", "hub"):
        return ()
    found = [File(NFT, nft.render(plan), "rules", check="/usr/sbin/nft -c -f %s")]
    if plan.mode == "shadow":
        return (*found, File(SHADOW, shadow.render(plan), "shadow", "0755"))
    for name, text in networkd.render(plan, public_keys or {}).items():
        kind: Literal["device", "network"] = "device" if name.endswith(".netdev") else "network"
        found.append(File(f"{networkd.FOLDER}/{name}", text, kind))
    if plan.mode == "ipsec":
        found.append(File(SWANCTL, swanctl.render(plan), "ipsec"))
    return tuple(found)
