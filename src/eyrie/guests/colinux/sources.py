# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests of a pool's desktops, from a YAML file or an inventory's group `colinux`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

import yaml

from eyrie.errors import EyrieError
from eyrie.guests.colinux import boot
from eyrie.guests.colinux.model import KINDS, Card, Disk, Guest
from eyrie.guests.colinux.release import Release
from eyrie.hub.guard import guest_mac
from eyrie.inventory.listing import members
from eyrie.nodetable import Table

GROUP = "colinux"
FOLDER = r"C:\coLinux"
_FOLDER = re.compile(r"[A-Za-z]:(\\[A-Za-z0-9._~-]+)+")
_FILE = re.compile(r"[A-Za-z0-9._~-]+")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
KEYS = {
    "release",
    "folder",
    "memory_mib",
    "image",
    "kernel",
    "network",
    "adapter",
    "address",
    "gateway",
    "master",
    "boot",
    "mac",
}
"""What is told of a guest; the role has more variables, of how it comes to the desktop."""


@dataclass(frozen=True)
class Desktop:
    """One desktop's guest."""

    name: str
    release: Release
    folder: str
    guest: Guest
    identity: boot.Identity

    @property
    def file(self) -> str:
        """The name of its configuration file."""
        return f"{self.name}.{'xml' if self.release.format == 'xml' else 'conf'}"


def from_file(text: str | bytes, source: str, table: Table | None) -> list[Desktop]:
    """Read `pool` and `desktops`, name to values."""
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, the quick one where there is one
    except (yaml.YAMLError, ValueError) as error:
        raise EyrieError(source, seen=f"no YAML: {error}", wanted="pool and desktops") from None
    if not isinstance(value, dict) or value.keys() != {"pool", "desktops"}:
        seen = sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__
        raise EyrieError(source, seen=seen, wanted="pool and desktops")
    if not isinstance(value["desktops"], dict):
        raise EyrieError(f"{source}: desktops", seen=value["desktops"], wanted="name: {adapter: ...}")
    return read(str(value["pool"]), value["desktops"], table)


def from_listing(listing: Mapping[str, Any], table: Table | None) -> list[Desktop]:
    """Read what `ansible-inventory --list` prints."""
    variables = listing.get("_meta", {}).get("hostvars", {})
    names = members(listing, GROUP)
    if not names:
        raise EyrieError(f"group {GROUP}", seen="no host", wanted="desktops that run coLinux guests")
    pools = {str(variables.get(name, {}).get(f"{GROUP}_pool_name", "")) for name in names}
    if len(pools) != 1 or pools == {""}:
        raise EyrieError(f"{GROUP}_pool_name", seen=sorted(pools), wanted="the pool's name, one for all")
    prefix = f"{GROUP}_"
    desktops = {
        name: {
            key.removeprefix(prefix): value
            for key, value in variables.get(name, {}).items()
            if key.startswith(prefix) and key.removeprefix(prefix) in KEYS
        }
        for name in names
    }
    return read(pools.pop(), desktops, table)


def read(pool: str, desktops: Mapping[str, Any], table: Table | None) -> list[Desktop]:
    """Make all guests of a pool; what two of them share is refused."""
    made = [_desktop(pool, str(name), value, table) for name, value in desktops.items()]
    users = defaultdict(list)
    for each in made:
        users[f"MAC address {each.guest.cards[0].mac}"].append(each.name)
        users[f"guest's name {each.identity.name}"].append(each.name)
        if each.identity.address is not None:
            users[f"guest's address {each.identity.address.ip}"].append(each.name)
    for what, names in users.items():
        if len(names) > 1:
            raise EyrieError(
                what,
                seen=", ".join(names),
                wanted="one desktop of the pool with it",
                next_step="correct one of them; a MAC address follows from the desktop's name",
            )
    return made


def with_adapter(desktop: Desktop, adapter: str) -> Desktop:
    """Return it with the adapter that the look at the desktop found."""
    first, *others = desktop.guest.cards
    cards = (replace(first, name=first.name or adapter), *others)
    return replace(desktop, guest=replace(desktop.guest, cards=cards))


def _desktop(pool: str, host: str, given: Any, table: Table | None) -> Desktop:
    if not isinstance(given, dict) or not given.keys() <= KEYS:
        seen = sorted(given.keys() - KEYS) if isinstance(given, dict) else given
        raise EyrieError(f"desktop {host}", seen=seen, wanted=f"some of {', '.join(sorted(KEYS))}")
    value = {key: str(each) for key, each in given.items() if each not in (None, "")}
    name = host.split(".")[0]
    release = Release.of(value.get("release", "0.6.1"))
    folder = value.get("folder", FOLDER)
    if not _FOLDER.fullmatch(folder):
        raise EyrieError(
            f"folder of desktop {host}",
            seen=folder,
            wanted=r"such as C:\coLinux, without blanks: 0.7.8 and 0.7.9 lose quotes around them",
        )
    kind = next((each for each in KINDS if each == value.get("network", "bridge")), None)
    if kind is None:
        raise EyrieError(
            f"network of desktop {host}", seen=value["network"], wanted=f"one of {', '.join(KINDS)}"
        )
    identity = _identity(pool, name, value, table)
    kernel, image = (_file(value.get(key, usual), host) for key, usual in _FILES.items())
    disk = Disk(0, (r"\DosDevices" + "\\" if release.format == "xml" else "") + rf"{folder}\{image}")
    line = " ".join(["root=/dev/cobd0", *value.get("boot", "ro").split(), *boot.words(identity)])
    guest = Guest(
        kernel=rf"{folder}\{kernel}",
        boot=line,
        memory=_memory(value.get("memory_mib", "128"), host),
        disks=(disk,),
        cards=(Card(0, kind, value.get("adapter", ""), value.get("mac", guest_mac(pool, name))),),
    )
    return Desktop(name, release, folder, guest, identity)


_FILES = {"kernel": "vmlinux", "image": "root_fs"}


def _file(value: str, host: str) -> str:
    if not _FILE.fullmatch(value):
        raise EyrieError(f"file of desktop {host}", seen=value, wanted="a name in its folder, without blanks")
    return value


def _memory(value: str, host: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", value):
        raise EyrieError(f"memory_mib of desktop {host}", seen=value, wanted="a number of MiB")
    return int(value)


def _identity(pool: str, name: str, value: Mapping[str, str], table: Table | None) -> boot.Identity:
    address: IPv4Interface | None = None
    try:
        if "address" in value:
            if "/" not in value["address"]:
                raise ValueError("no length of the network")
            address = IPv4Interface(value["address"])
        gateway, master = (IPv4Address(value[key]) if key in value else None for key in ("gateway", "master"))
    except ValueError as error:
        raise EyrieError(
            f"addresses of desktop {name}",
            seen=str(error),
            wanted="address such as 10.77.0.21/24, gateway and master such as 10.77.0.1",
        ) from None
    node = None
    if table is not None and address is not None:
        node = table.number_of(str(address.ip))
        if node is None:
            raise EyrieError(
                f"guest of desktop {name}: address",
                seen=str(address.ip),
                wanted="one of a range of the node table",
                next_step="add its subnet (eyrie nodes plan), or correct the address",
            )
    return boot.Identity(pool, name, address, gateway, node, master)
