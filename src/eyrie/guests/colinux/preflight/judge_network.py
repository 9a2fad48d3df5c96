# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the desktop's network can carry a guest."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eyrie.guests.colinux.preflight.model import RUNNING, Adapter, Refusal, Seen, Wanted
from eyrie.guests.colinux.refuse import MOST_NAME
from eyrie.guests.colinux.text import strange

CONNECTED = 2
_WIRELESS_MEDIA = (1, 9)
_OTHER_MEDIA = (7, 8, 10)  # FireWire, cellular, Bluetooth
_WIRELESS = re.compile(r"wireless|wlan|wi-?fi|802\.11|centrino", re.IGNORECASE)
_SOFTWARE = ("ROOT\\", "SW\\", "V1394\\", "BTH\\")


def kind(wanted: Wanted) -> list[Refusal]:
    """Return whether the release and openMosix can do with this kind of network."""
    found = []
    if (wanted.network == "slirp" and not wanted.release.has("slirp")) or (
        wanted.network == "ndis" and not wanted.release.has("ndis")
    ):
        found.append(
            Refusal(
                "network-kind",
                "kind of the guest's network",
                seen=wanted.network,
                wanted=f"bridge or tap: {wanted.release} does not know it",
                lift="choose bridge",
                cost="WinPcap on the desktop",
            )
        )
    if wanted.network == "slirp" and wanted.openmosix:
        found.append(
            Refusal(
                "network-slirp",
                "kind of the guest's network",
                seen="slirp",
                wanted="a bridge: with slirp every guest is 10.0.2.15 and nobody reaches it",
                lift="choose bridge",
                cost="WinPcap on the desktop, and a second MAC address on its switch port",
            )
        )
    return found


def bridge(seen: Seen, wanted: Wanted) -> tuple[str, list[Refusal]]:
    """Return the adapter's name for the configuration, and what is in the way."""
    if wanted.network not in ("bridge", "ndis"):
        return "", []
    found = _winpcap(seen) if wanted.network == "bridge" else []
    adapter, refusal = _adapter(seen, wanted)
    if adapter is None:
        return "", [*found, *([refusal] if refusal else [])]
    name = wanted.adapter or _name(adapter, wanted)
    return name, [*found, *([refusal] if refusal else []), *_writable(name, wanted)]


def is_wireless(adapter: Adapter) -> bool:
    """Whether an adapter is of a wireless network: by its medium, or, for drivers of XP, by its words."""
    words = f"{adapter.description} {adapter.connection}"
    return adapter.medium in _WIRELESS_MEDIA or bool(_WIRELESS.search(words))


def _winpcap(seen: Seen) -> list[Refusal]:
    state = seen.services.get("npf")
    if state == RUNNING:
        return []
    if state is not None:
        return [
            Refusal(
                "winpcap-stopped",
                "WinPcap's driver npf",
                seen=f"there, and does not run (state {state})",
                wanted="running before the guest's service starts",
                lift="sc config npf start= auto, and net start npf",
                cost="any account of the desktop can then read its network's packets",
            )
        ]
    if "npcap" in seen.services:
        return [
            Refusal(
                "npcap",
                "WinPcap on this desktop",
                seen="Npcap, without the service npf",
                wanted="WinPcap: coLinux is made for 3.0 (0.6) and 4.0.1 (0.7)",
                lift="install WinPcap",
                cost="two drivers that read packets on one desktop",
            )
        ]
    return [
        Refusal(
            "winpcap-missing",
            "WinPcap on this desktop",
            seen="no service npf",
            wanted="WinPcap, which the bridge is made of",
            lift="install WinPcap by hand (its own installer always asks), or choose ndis with 0.7.4",
            cost="a visit to each desktop; or openMosix, for 0.7 has no 2.4 kernel",
        )
    ]


def _adapter(seen: Seen, wanted: Wanted) -> tuple[Adapter | None, Refusal | None]:
    """Return the adapter, and why it will not do."""
    real = [each for each in seen.adapters if _is_real(each)]
    lan = [each for each in real if not is_wireless(each)]
    if wanted.adapter:
        return _named(seen.adapters, wanted)
    if not lan:
        return None, _no_lan(real)
    plugged = [each for each in lan if each.status == CONNECTED]
    if not plugged:
        return None, _unplugged(", ".join(each.connection for each in lan))
    if len(plugged) > 1:
        return None, _ambiguous([_name(each, wanted) for each in plugged], "several adapters have a cable")
    name = _name(plugged[0], wanted)
    matches = _matches(seen.adapters, name, wanted)
    if len(matches) > 1:
        reason = "the daemon looks for a part of the name, and takes the first"
        return None, _ambiguous([_name(each, wanted) for each in matches], reason)
    return plugged[0], None


def _named(adapters: Sequence[Adapter], wanted: Wanted) -> tuple[Adapter | None, Refusal | None]:
    matches = _matches(adapters, wanted.adapter, wanted)
    if not matches:
        what = "descriptions" if not wanted.release.has("slirp") else "connections"
        names = ", ".join(_name(each, wanted) for each in adapters) or "none"
        return None, Refusal(
            "adapter-missing",
            f"adapter {wanted.adapter}",
            seen=f"{what} {names}",
            wanted="one of these: it was renamed, or the desktop speaks another language",
            lift="correct adapter, for this desktop alone if need be",
            cost="nothing",
        )
    if len(matches) > 1:
        return None, _ambiguous(
            [_name(each, wanted) for each in matches], f"all have {wanted.adapter} in them"
        )
    (adapter,) = matches
    if is_wireless(adapter):
        return adapter, Refusal(
            "adapter-wireless",
            f"adapter {wanted.adapter}",
            seen=adapter.description,
            wanted="a cable: an access point takes one MAC address a station",
            lift="name the adapter with the cable",
            cost="a cable to the desktop",
        )
    if adapter.status != CONNECTED:
        return adapter, _unplugged(adapter.connection)
    return adapter, None


def _matches(adapters: Sequence[Adapter], name: str, wanted: Wanted) -> list[Adapter]:
    """Return what the daemon's helper may take (os/winnt/user/conet-bridged-daemon/main.c)."""
    found = [each for each in adapters if name in _name(each, wanted)]
    if wanted.release.has("slirp"):  # 0.6.2 and later take the very name first
        return [each for each in found if each.connection == name] or found
    return found


def _name(adapter: Adapter, wanted: Wanted) -> str:
    """Return what the release looks at: 0.6.1 the description, later ones the connection's name."""
    return adapter.connection if wanted.release.has("slirp") else adapter.description


def _is_real(adapter: Adapter) -> bool:
    return not adapter.device.upper().startswith(_SOFTWARE) and adapter.medium not in _OTHER_MEDIA


def _no_lan(real: Sequence[Adapter]) -> Refusal:
    if real:
        return Refusal(
            "adapter-wireless-only",
            "adapters of this desktop",
            seen=", ".join(each.description for each in real),
            wanted="one with a cable: an access point takes one MAC address a station",
            lift="lay a cable",
            cost="a cable",
        )
    return Refusal(
        "adapter-none",
        "adapters of this desktop",
        seen="none of a local network",
        wanted="one with a cable",
        lift="install its driver, or switch it on in the Device Manager",
        cost="nothing",
    )


def _unplugged(name: str) -> Refusal:
    return Refusal(
        "adapter-unplugged",
        f"adapter {name}",
        seen="no link",
        wanted="a cable with a link: the bridge dies or blocks everything without",
        lift="plug it in, or switch the connection on",
        cost="nothing",
    )


def _ambiguous(names: Sequence[str], reason: str) -> Refusal:
    return Refusal(
        "adapter-ambiguous",
        "adapters of this desktop",
        seen=", ".join(names),
        wanted=f"one that fits: {reason}",
        lift="name it with adapter; where one name is part of another, take one away or release 0.6.2",
        cost="nothing, or openMosix, for 0.6.2 has no 2.4 kernel",
    )


def _writable(name: str, wanted: Wanted) -> list[Refusal]:
    what = "adapter's description" if not wanted.release.has("slirp") else "connection's name"
    rename = (
        "netsh interface set interface renames a connection; of a description name an ASCII part (adapter)"
    )
    if strange(name):
        trap, why = "adapter-localised", "ASCII: other bytes mean what the desktop's code page says"
    elif wanted.release.format == "at" and set(name) & set('"#'):
        trap, why = "adapter-sign", 'none of " and #, where an @file begins a comment'
    elif wanted.release.format == "xml" and len(name) > MOST_NAME:
        trap, why = "adapter-long", f"at most {MOST_NAME} characters"
    else:
        return []
    return [Refusal(trap, what, seen=name, wanted=why, lift=rename, cost="nothing")]
