# SPDX-License-Identifier: GPL-3.0-or-later
"""What to change on a desktop, and what keeps it from being changed at all; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from eyrie.agent.converge.facts import Facts, sha256
from eyrie.agent.converge.spec import Item, Spec

CONFIGURATION, TOKEN, ITEM, FIREWALL = "agent.json", "token", "item", "firewall"
SERVICE, OLD = "service", "old item"
HUB, HUB_CA, NO_HUB = "hub certificate", "hub authority", "no hub"

OWNERS_MIB = 1024
"""Memory that stays the owner's whatever the guest gets."""

QEMU_MIB = 120
"""What QEMU takes beside the guest's memory."""


@dataclass(frozen=True)
class Fit:
    """The desktops that a backend is for."""

    architecture: str
    bits: int
    versions: tuple[str, ...]
    """By the numbers that Windows itself tells."""

    windows: str


FITS = {
    "qemu": Fit("AMD64", 64, ("6.2", "6.3", "10.0"), "Windows 8, 8.1, 10 or 11"),
    "colinux": Fit("x86", 32, ("6.0", "6.1"), "Windows Vista or 7"),
}
"""What QEMU is built for, and where coLinux runs and an agent does."""

REMEDY = "set windows_agent_guest_backend: {}"


@dataclass(frozen=True)
class Current:
    """What is on the desktop."""

    configuration: str = ""
    token_sha256: str = ""
    damage: Mapping[str, Mapping[str, str] | None] | None = None
    """Folder of an item -> what is wrong with it; None if it is not there."""

    others: tuple[str, ...] = ()
    firewall: str = ""
    """What is wrong with the rules that are there, as text."""

    service: str = ""
    """`running`, `stopped`, or empty where there is none."""

    hub_sha256: str = ""
    """Of key and certificate for the hub; empty where there are none."""

    hub_ca: str = ""


@dataclass(frozen=True)
class Desired:
    """What shall be there."""

    spec: Spec
    configuration: str
    firewall: str = ""


@dataclass(frozen=True)
class Change:
    """One step. What the configuration names is there before it, and goes after it."""

    kind: str
    thing: str
    before: str
    after: str
    item: Item | None = None

    def told(self) -> dict[str, str]:
        """Return it as the answer's `diff` has it."""
        return {"thing": self.thing, "before": self.before, "after": self.after}


def plan(current: Current, desired: Desired) -> tuple[Change, ...]:
    """Return the changes that make `current` what is desired; none if it is."""
    return (
        *_items(current, desired.spec),
        *_firewall(current, desired),
        *_token(current, desired.spec),
        *_hub(current, desired.spec),
        *_configuration(current, desired),
        *_service(current),
        *_no_hub(current, desired.spec),
        *_old(current),
    )


def _items(current: Current, spec: Spec) -> list[Change]:
    found = []
    for item in spec.items:
        wrong = (current.damage or {}).get(item.directory)
        if wrong is None:
            found.append(Change(ITEM, f"item {item.name}", "absent", _item_text(item), item))
        elif wrong:
            listed = ", ".join(f"{name} {fault}" for name, fault in sorted(wrong.items())[:5])
            more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
            found.append(
                Change(ITEM, f"item {item.name}", f"damaged: {listed}{more}", _item_text(item), item)
            )
    return found


def _item_text(item: Item) -> str:
    return f"sha256:{item.sha256[:16]}, {item.size} bytes"


def _firewall(current: Current, desired: Desired) -> list[Change]:
    if not desired.spec.firewall or current.firewall == desired.firewall:
        return []
    return [Change(FIREWALL, "firewall", current.firewall, desired.firewall)]


def _token(current: Current, spec: Spec) -> list[Change]:
    wanted = sha256(spec.token) if spec.token else ""
    if not wanted or wanted == current.token_sha256:
        return []
    return [Change(TOKEN, "token", _fingerprint(current.token_sha256), _fingerprint(wanted))]


def _hub(current: Current, spec: Spec) -> list[Change]:
    if spec.hub is None:
        return []
    found = []
    if current.hub_ca != spec.hub.ca:
        found.append(Change(HUB_CA, HUB_CA, _fingerprint_of(current.hub_ca), _fingerprint_of(spec.hub.ca)))
    wanted = sha256(spec.hub.certificate) if spec.hub.certificate else ""
    if wanted not in ("", current.hub_sha256):
        found.append(Change(HUB, HUB, _fingerprint(current.hub_sha256), _fingerprint(wanted)))
    return found


def _no_hub(current: Current, spec: Spec) -> list[Change]:
    """Forget a key that nothing names any more."""
    if spec.hub is not None or not (current.hub_sha256 or current.hub_ca):
        return []
    return [Change(NO_HUB, HUB, _fingerprint(current.hub_sha256), "absent")]


def _fingerprint_of(text: str) -> str:
    return _fingerprint(sha256(text) if text else "")


def _fingerprint(digest: str) -> str:
    """Name a secret without telling it."""
    return f"sha256:{digest[:8]}" if digest else "absent"


def _configuration(current: Current, desired: Desired) -> list[Change]:
    if current.configuration == desired.configuration:
        return []
    import difflib  # most desktops are as wanted

    before, after = current.configuration.splitlines(), desired.configuration.splitlines()
    differ = list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]
    gone = [line[1:].strip() for line in differ if line.startswith("-")]
    new = [line[1:].strip() for line in differ if line.startswith("+")]
    return [
        Change(
            CONFIGURATION,
            "agent.json",
            "\n".join(gone) if current.configuration else "absent",
            "\n".join(new) or "fewer lines",
        )
    ]


def _service(current: Current) -> list[Change]:
    return [Change(SERVICE, "service", "stopped", "running")] if current.service == "stopped" else []


def _old(current: Current) -> list[Change]:
    return [Change(OLD, name, "no longer wanted", "absent") for name in current.others]


def obstacles(facts: Facts, spec: Spec) -> list[dict[str, str]]:
    """Return why this desktop cannot serve, each by name; empty if it can."""
    guest = spec.agent.get("guest")
    return _obstacles(facts, guest if isinstance(guest, Mapping) else {})


def _obstacles(facts: Facts, guest: Mapping[str, Any]) -> list[dict[str, str]]:
    backend = str(guest.get("backend"))
    found = _misfits(facts, backend, FITS[backend]) if backend in FITS else []
    if backend == "colinux":  # how much it leaves to its owner is judged before it is installed
        return found
    memory = guest.get("memory_mib")
    needed = (memory if isinstance(memory, int) else 0) + QEMU_MIB + OWNERS_MIB
    # A little less than the sum of its modules is told: firmware and graphics take their part.
    if facts["memory_mib"] < needed * 0.95:
        found.append(
            _named(
                "too little memory",
                f"{facts['memory_mib']} MiB",
                f"{needed} MiB: the guest's, QEMU's and {OWNERS_MIB} for the owner",
            )
        )
    return found


def _misfits(facts: Facts, backend: str, fit: Fit) -> list[dict[str, str]]:
    found = []
    told = str((facts["windows"] or {}).get("version", ""))
    version, architecture = ".".join(told.split(".")[:2]), facts["architecture"]
    other = next((name for name, each in FITS.items() if architecture == each.architecture), "")
    remedy = REMEDY.format(other) if other and version in FITS[other].versions else ""
    if facts["windows"] is not None and version not in fit.versions:
        # No agent runs there, or it would not say this; the role is named for who reads it elsewhere.
        way = "take it to colinux_hours" if version.startswith("5.") else remedy
        found.append(_named("unknown Windows version", told, f"{fit.windows} for the backend {backend}", way))
    if architecture != fit.architecture:
        name = f"not a {fit.bits}-bit desktop"
        found.append(_named(name, architecture, f"{fit.architecture} for the backend {backend}", remedy))
    return found


def _named(name: str, seen: str, wanted: str, remedy: str = "") -> dict[str, str]:
    text = f"{name}: found {seen}, wanted {wanted}. Nothing was changed"
    return {"name": name, "text": f"{text}. Next: {remedy}" if remedy else text}
