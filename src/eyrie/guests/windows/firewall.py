# SPDX-License-Identifier: GPL-3.0-or-later
"""The desktop's firewall rules for its guest: QEMU reaches the pool's port on the master, and nothing else.

In Windows a rule that blocks wins over any that allows, so these rules block all the rest. Pure: rules are
read as the registry holds them, for what netsh prints is in the desktop's language.

TCP to 127.0.0.1 stays open: there the agent waits for QEMU. Windows' firewall does not filter a desktop's
traffic with itself anyway, so what keeps a guest off the services there is the firewall inside the guest.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Iterable, Mapping

from eyrie.errors import EyrieError
from eyrie.guests.isolation import master_address
from eyrie.guests.windows.ranges import (
    PORTS,
    V4,
    V6,
    Ranges,
    merged,
    parse_addresses,
    parse_ports,
    without,
    words,
)

PREFIX = "Eyrie guest"
_LOOPBACK = int(ipaddress.IPv4Address("127.0.0.1"))
_PROTOCOLS = {"any": "256", "icmpv4": "1", "tcp": "6", "udp": "17"}
# Fields of the registry's text that do not make a rule apply to less.
_HARMLESS = {"Name", "Desc", "EmbedCtxt", "Edge", "Defer", "LSM", "Platform", "Platform2", "TTK", "PFN"}


@dataclass(frozen=True)
class Rule:
    """One rule that blocks; no ranges at all mean: any."""

    name: str
    outbound: bool
    program: str
    protocol: str = "any"
    v4: Ranges = ()
    v6: Ranges = ()
    ports: Ranges = ()

    def same(self, other: Rule) -> bool:
        """Return whether both block the same; Windows' paths know no case."""
        return self._essence() == other._essence()

    def _essence(self) -> tuple[object, ...]:
        path = self.program.replace("/", "\\").lower()
        return (self.name, self.outbound, path, self.protocol, self.v4, self.v6, self.ports)


def rules(program: str, master: str, port: int) -> tuple[Rule, ...]:
    """Return what must be in force before a guest of this program may run."""
    address = master_address(master, port)
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        raise EyrieError("master's address", seen=master, wanted="the address of another machine")
    there = int(address)
    reached = merged([(there, there), (_LOOPBACK, _LOOPBACK)])
    elsewhere = without(V4, [there, _LOOPBACK])
    return (
        Rule(f"{PREFIX} 1: other addresses", True, program, v4=elsewhere, v6=(V6,)),
        Rule(f"{PREFIX} 2: other ports", True, program, "tcp", ((there, there),), (), without(PORTS, [port])),
        Rule(f"{PREFIX} 3: UDP", True, program, "udp", reached),
        # Other protocols need raw sockets, which Windows gives to administrators only.
        Rule(f"{PREFIX} 4: ICMP", True, program, "icmpv4", reached),
        Rule(f"{PREFIX} 5: from outside", False, program),
    )


def parse(text: str) -> Rule | None:
    """Read a rule as the registry holds it; None if it does not block, or not always."""
    fields: dict[str, list[str]] = {}
    for part in text.split("|")[1:]:
        key, _, value = part.partition("=")
        if value:
            fields.setdefault(key, []).append(value)
    try:
        return _rule(fields)
    except (ValueError, KeyError):
        return None


def _rule(fields: dict[str, list[str]]) -> Rule | None:
    def one(key: str, default: str = "") -> str:
        (value,) = fields.pop(key, [default])
        return value

    if (one("Action"), one("Active").upper()) != ("Block", "TRUE"):
        return None
    number = one("Protocol", "256")
    protocol = {value: key for key, value in _PROTOCOLS.items()}[number]
    if fields.pop("ICMP4", ["*:*"]) != ["*:*"]:
        return None
    ports = fields.pop("RPort", []) + fields.pop("RPort2_10", [])
    rule = Rule(
        name=fields.get("Name", [""])[0],
        outbound={"In": False, "Out": True}[one("Dir")],
        program=one("App"),
        protocol=protocol,
        v4=merged(parse_addresses(each) for each in fields.pop("RA4", [])),
        v6=merged(parse_addresses(each) for each in fields.pop("RA6", [])),
        ports=merged(parse_ports(each) for each in ports),
    )
    return None if set(fields) - _HARMLESS else rule


def name_of(text: str) -> str:
    """Return a rule's name, whatever else it says."""
    for part in text.split("|"):
        if part.startswith("Name="):
            return part[5:]
    return ""


@dataclass(frozen=True)
class Changes:
    """What to do about the rules: all of a name go before it comes again."""

    remove: tuple[str, ...]
    add: tuple[Rule, ...]


def plan(current: Iterable[str], wanted: Iterable[Rule]) -> Changes:
    """Return the changes from the rules as the registry holds them; rules that are not ours stay."""
    ours: dict[str, list[Rule | None]] = {}
    for text in current:
        if name_of(text).startswith(PREFIX):
            ours.setdefault(name_of(text), []).append(parse(text))
    remove, add = [], []
    for rule in wanted:
        have = ours.pop(rule.name, [])
        if len(have) == 1 and have[0] is not None and have[0].same(rule):
            continue
        if have:
            remove.append(rule.name)
        add.append(rule)
    return Changes((*remove, *sorted(ours)), tuple(add))


def commands(changes: Changes) -> list[list[str]]:
    """Return the arguments of netsh that make the changes."""
    start = ["advfirewall", "firewall"]
    gone = [[*start, "delete", "rule", f"name={name}"] for name in changes.remove]
    return gone + [[*start, "add", "rule", *_words(rule)] for rule in changes.add]


def _words(rule: Rule) -> list[str]:
    result = [f"name={rule.name}", f"dir={'out' if rule.outbound else 'in'}", "action=block", "enable=yes"]
    result += [f"program={rule.program}", "profile=any", f"protocol={rule.protocol}"]
    addresses = words(ipaddress.IPv4Address, rule.v4) + words(ipaddress.IPv6Address, rule.v6)
    if addresses:
        result.append(f"remoteip={','.join(addresses)}")
    if rule.ports:
        texts = (f"{low}" if low == high else f"{low}-{high}" for low, high in rule.ports)
        result.append(f"remoteport={','.join(texts)}")
    return result


@dataclass(frozen=True)
class State:
    """The firewall as the registry describes it."""

    local: tuple[str, ...]  # rules of this desktop
    policy: tuple[str, ...]  # rules that came by group policy
    enabled: Mapping[str, int | None]  # by profile; None: the registry does not say
    merges: bool  # whether local rules count beside those of the policy
    service_start: int | None  # 4: disabled


def problems(state: State, wanted: Iterable[Rule]) -> list[str]:
    """Return why the wanted rules are not in force; nothing said is nothing known, and that is a reason."""
    found = []
    for name, on in sorted(state.enabled.items()):
        if not on:
            found.append(f"the firewall is {'not known to be on' if on is None else 'off'} ({name})")
    if state.service_start == 4:
        found.append("the firewall's service is disabled")
    rules_ = [rule for text in state.policy for rule in [parse(text)] if rule]
    if state.merges:
        rules_ += [rule for text in state.local for rule in [parse(text)] if rule]
    missing = [rule.name for rule in wanted if not any(rule.same(each) for each in rules_)]
    if missing and not state.merges:
        found.append("group policy lets no rules of this desktop count")
    return found + [f"rule missing or altered: {name}" for name in missing]
