# SPDX-License-Identifier: GPL-3.0-or-later
"""The TAP adapter. Every install adds another one, so the adapters there are counted before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from eyrie.errors import EyrieError
from eyrie.guests.colinux.release import Release
from eyrie.windows.quoting import argument

CLASS = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{4D36E972-E325-11CE-BFC1-08002BE10318}"
NETWORK = r"HKLM\SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}"
OURS = "installed.txt"
DONE, REBOOT = 0, 1
"""DevCon's exit codes; 2 is a failure, 3 wrong usage."""

Do = Literal["install", "rename", "remove", "forget"]


@dataclass(frozen=True)
class Driver:
    """The driver that a release brings."""

    component: str
    tool: str
    remove: str
    """What the tool is told to remove."""

    @classmethod
    def of(cls, release: Release) -> Driver:
        """0.6.1 had OpenVPN's driver of its time, under its ID."""
        if release.has("tap0801co"):
            return cls("TAP0801co", "tapcontrol.exe", "TAP0801co")
        return cls("TAPdev", "devcon.exe", "TAP")


@dataclass(frozen=True)
class Adapter:
    """An adapter of this driver, and the name of its connection."""

    key: str
    guid: str
    connection: str


@dataclass(frozen=True)
class Seen:
    """What is there."""

    adapters: tuple[Adapter, ...]
    ours: bool
    folder: bool


def look_line(folder: str) -> str:
    """Return the line that looks: the registry, whose words no language changes."""
    return (
        f'echo eyrie-part class & reg query "{CLASS}" /s 2>nul'
        ' | findstr /i "HKEY_ ComponentId NetCfgInstanceId"'
        f' & echo eyrie-part network & reg query "{NETWORK}" /s 2>nul | findstr /i "HKEY_ Name"'
        rf" & echo eyrie-part rest & (if exist {folder}\{OURS} echo eyrie-ours)"
        f" & (if exist {folder} echo eyrie-folder) & echo eyrie-part end"
    )


def parse(text: str, host: str, driver: Driver) -> Seen:
    """Read what it printed."""
    plain = re.sub(r"\r+\n?", "\n", text)
    parts = re.split(r"^eyrie-part (\w+)[ \t]*$", plain, flags=re.MULTILINE)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    if "end" not in told:
        raise EyrieError(
            f"answer of desktop {host}", seen=text[-200:] or "nothing", wanted="all that cmd.exe was asked"
        )
    names = {
        key.split("\\")[-2].upper(): values.get("Name", "")
        for key, values in _keys(told["network"]).items()
        if key.lower().endswith("\\connection")
    }
    adapters = tuple(
        Adapter(
            key[-4:],
            values.get("NetCfgInstanceId", ""),
            names.get(values.get("NetCfgInstanceId", "").upper(), ""),
        )
        for key, values in _keys(told["class"]).items()
        if re.search(r"\\\d{4}$", key) and values.get("ComponentId", "").lower() == driver.component.lower()
    )
    return Seen(adapters, "eyrie-ours" in told["rest"], "eyrie-folder" in told["rest"])


def present(seen: Seen, name: str) -> list[Do]:
    """Return what is to do for one adapter of this name."""
    if any(each.connection == name for each in seen.adapters):
        return []
    if not seen.adapters:
        return ["install", "rename"]
    if len(seen.adapters) > 1:
        raise _several(seen.adapters, name)
    return ["rename"]


def absent(seen: Seen) -> list[Do]:
    """Return what is to do for a desktop as it was before; DevCon would remove all adapters of the ID."""
    if seen.ours and len(seen.adapters) > 1:
        raise _several(seen.adapters, "ours alone")
    if seen.ours and seen.adapters:
        return ["remove", "forget"]
    return ["forget"] if seen.folder else []


def rename_line(old: str, new: str) -> str:
    """Return the line that gives a connection its fixed name."""
    words = [f"name={old}", f"newname={new}"]
    return "netsh interface set interface " + " ".join(argument(word) for word in words)


def _several(adapters: Sequence[Adapter], name: str) -> EyrieError:
    return EyrieError(
        "TAP adapters of this desktop",
        seen=", ".join(each.connection or each.key for each in adapters),
        wanted=f"one, or one that is called {name}: every install adds another",
        next_step="give the right one this name (netsh interface set interface), or remove the others in the"
        " Device Manager",
    )


def _keys(text: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    here: dict[str, str] = {}
    for row in text.split("\n"):
        value = re.match(r"\s+(\S+)\s+REG_\w+\s+(.*?)\s*$", row)
        if row.upper().startswith("HKEY_"):
            here = found.setdefault(row.strip(), {})
        elif value:
            here[value[1]] = value[2]
    return found
