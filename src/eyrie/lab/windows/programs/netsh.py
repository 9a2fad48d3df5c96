# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for netsh: `advfirewall firewall add|delete|show rule`, which records rules and enforces none.

And `interface set interface name=OLD newname=NEW`, which renames a connection in the registry.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from .connections import rename_connection
from .rule_registry import record
from .stand_in import introduce, load, say, store

RULES = "firewall"
KEYS = (
    *(
        "name",
        "dir",
        "action",
        "program",
        "service",
        "description",
        "enable",
        "profile",
        "localip",
        "remoteip",
    ),
    *("localport", "remoteport", "protocol", "interfacetype", "edge", "security"),
)
CHOICES = {
    "dir": ("in", "out"),
    "action": ("allow", "block", "bypass"),
    "enable": ("yes", "no"),
}
TITLES = {
    "enable": "Enabled",
    "dir": "Direction",
    "profile": "Profiles",
    "localip": "LocalIP",
    "remoteip": "RemoteIP",
    "protocol": "Protocol",
    "localport": "LocalPort",
    "remoteport": "RemotePort",
    "edge": "Edge traversal",
    "program": "Program",
    "action": "Action",
}
DEFAULTS = {"enable": "yes", "profile": "Domain,Private,Public", "localip": "Any", "remoteip": "Any"}
DEFAULTS |= {"protocol": "Any", "edge": "No"}
NO_MATCH = "No rules match the specified criteria."


def main(argv: list[str]) -> int:
    """Add, delete or show rules, answering as Windows 10 does."""
    if introduce("netsh", "records rules of `advfirewall firewall` and enforces none", argv):
        return 0
    words = [word.lower() for word in argv]
    if words[:3] == ["interface", "set", "interface"]:
        return _rename(dict(word.partition("=")[::2] for word in argv[3:]))
    if words[:2] != ["advfirewall", "firewall"] or words[3:4] != ["rule"]:
        return _refuse(f"`{' '.join(argv)}` is not known to this stand-in of Eyrie's lab.")
    verb = {"add": add, "delete": delete, "show": show}.get(words[2])
    if verb is None:
        return _refuse(f"The following command was not found: {' '.join(argv)}.")
    settings = {}
    for word in argv[4:]:
        key, equals, value = word.partition("=")
        if key.lower() == "verbose":
            continue
        if not equals or key.lower() not in KEYS or not value:
            return _refuse(f"{key!r} is not a valid argument for this command.")
        settings[key.lower()] = value
    if not settings.get("name"):
        return _refuse("A required argument is missing: name.")
    return verb(settings)


def add(settings: Mapping[str, str]) -> int:
    """Record a rule; Windows allows equal names."""
    for key in ("dir", "action"):
        if key not in settings:
            return _refuse(f"A required argument is missing: {key}.")
    for key, choices in CHOICES.items():
        if settings.get(key, choices[0]).lower() not in choices:
            return _refuse(f"A specified value is not valid: {key}={settings[key]}.")
    ports = {"localport", "remoteport"} & settings.keys()
    if ports and settings.get("protocol", "any").lower() not in ("tcp", "udp"):
        return _refuse("A specified protocol value is not valid with ports: TCP or UDP is.")
    _keep([*load(RULES, []), dict(settings)])
    say("Ok.\n")
    return 0


def delete(settings: Mapping[str, str]) -> int:
    """Forget the rules that match."""
    rules = load(RULES, [])
    kept = [rule for rule in rules if not _matches(rule, settings)]
    if len(kept) == len(rules):
        return _refuse(NO_MATCH)
    _keep(kept)
    say(f"\nDeleted {len(rules) - len(kept)} rule(s).\nOk.\n")
    return 0


def show(settings: Mapping[str, str]) -> int:
    """Show the rules that match."""
    found = [rule for rule in load(RULES, []) if _matches(rule, settings)]
    if not found:
        return _refuse(NO_MATCH)
    for rule in found:
        say(f"\n{'Rule Name:':<38}{rule['name']}\n{'-' * 70}")
        full = {**DEFAULTS, **rule}
        for key, title in TITLES.items():
            if key in full:
                say(f"{title + ':':<38}{_spelled(full[key])}")
    say("Ok.\n")
    return 0


def _rename(settings: Mapping[str, str]) -> int:
    """Give a connection another name."""
    if settings.keys() != {"name", "newname"}:
        return _refuse("Of `interface set interface` this stand-in of Eyrie's lab knows name= and newname=.")
    if not rename_connection(settings["name"], settings["newname"]):
        return _refuse("An interface with this name is not registered with the router.")
    return 0


def _keep(rules: list[dict[str, str]]) -> None:
    store(RULES, rules)
    record(rules)


def _spelled(value: str) -> str:
    return value.capitalize() if value.lower() in ("in", "out", "allow", "block", "yes", "no") else value


def _matches(rule: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(
        (key == "name" and value.lower() == "all") or rule.get(key, "").lower() == value.lower()
        for key, value in wanted.items()
    )


def _refuse(text: str) -> int:
    say(f"\n{text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
