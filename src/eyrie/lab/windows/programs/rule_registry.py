# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Windows keeps its firewall's rules: the stand-in for netsh writes them there too, in Windows' words.

Format: MS-GPFAS 2.2.2.19. The registry is where a program looks that is not to depend on netsh's language.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
from typing import Any

POLICY = r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
PROFILES = ("DomainProfile", "PublicProfile", "StandardProfile")
PROTOCOLS = {"tcp": "6", "udp": "17", "icmpv4": "1", "icmpv6": "58"}


def text(rule: Mapping[str, str]) -> str:
    """Return a rule, given as netsh's words, the way Windows keeps it."""
    active = "FALSE" if rule.get("enable", "yes").lower() == "no" else "TRUE"
    parts = [f"Action={rule['action'].capitalize()}", f"Active={active}", f"Dir={rule['dir'].capitalize()}"]
    protocol = rule.get("protocol", "any").lower()
    if protocol != "any":
        parts.append(f"Protocol={PROTOCOLS.get(protocol, protocol)}")
    if rule.get("profile", "any").lower() != "any":
        parts += [f"Profile={each.capitalize()}" for each in rule["profile"].split(",")]
    for key, name in (("localport", "LPort"), ("remoteport", "RPort")):
        parts += [f"{name}{'2_10' * ('-' in each)}={each}" for each in _list(rule, key)]
    for key, name in (("localip", "LA"), ("remoteip", "RA")):
        parts += [f"{name}{6 if ':' in each else 4}={each}" for each in _list(rule, key)]
    parts += [f"App={rule['program']}"] if "program" in rule else []
    return "|".join(["v2.30", *parts, f"Name={rule['name']}", ""])


def record(rules: Iterable[Mapping[str, str]]) -> None:
    """Make the registry hold these rules, and the firewall be on, as it is on a new Windows."""
    if sys.platform != "win32":
        return  # the lab's own tests run on Linux too
    registry: Any = importlib.import_module("winreg")
    machine = registry.HKEY_LOCAL_MACHINE
    for profile in PROFILES:
        with registry.CreateKey(machine, rf"{POLICY}\{profile}") as key:
            if not registry.QueryInfoKey(key)[1]:
                registry.SetValueEx(key, "EnableFirewall", 0, registry.REG_DWORD, 1)
    with registry.CreateKey(machine, rf"{POLICY}\FirewallRules") as key:
        for _ in range(registry.QueryInfoKey(key)[1]):
            registry.DeleteValue(key, registry.EnumValue(key, 0)[0])
        for number, rule in enumerate(rules):
            name = f"{{00000000-0000-0000-0000-{number:012}}}"
            registry.SetValueEx(key, name, 0, registry.REG_SZ, text(rule))


def _list(rule: Mapping[str, str], key: str) -> list[str]:
    value = rule.get(key, "any")
    return [] if value.lower() == "any" else value.split(",")
