# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the desktop's TAP adapter can carry a guest, or one can be installed."""

from __future__ import annotations

from eyrie.guests.colinux.preflight.model import Refusal, Seen, Wanted
from eyrie.guests.colinux.text import strange


def refusals(seen: Seen, wanted: Wanted) -> list[Refusal]:
    """Return every reason."""
    if wanted.network != "tap":
        return []
    found = []
    if seen.windows and seen.windows >= (6, 0) and not wanted.release.has("vista"):
        found.append(
            Refusal(
                "tap-vista",
                "TAP on this Windows",
                seen=f"the driver of {wanted.release}",
                wanted="that of 0.7.1 or later: earlier ones crash Vista",
                lift="choose bridge, or take 0.7.1",
                cost="WinPcap on the desktop; 0.7 has no openMosix",
            )
        )
    component = "tap0801co" if wanted.release.has("tap0801co") else "tapdev"
    indices = [index for index, each in seen.taps if each == component]
    there = [each for each in seen.adapters if each.index in indices]
    if not indices:
        return [*found, *_signing(seen, wanted)]
    fitting = [each for each in there if each.connection == wanted.adapter] if wanted.adapter else there
    if len(indices) > 1 and len(fitting) != 1:
        names = ", ".join(each.connection for each in there) or str(indices)
        return [*found, _two_taps(names, component)]
    if component == "tapdev" and seen.openvpn:
        found.append(
            Refusal(
                "tap-openvpn",
                "TAP adapter of this desktop",
                seen="OpenVPN is installed, and its adapter of that time has the same ID, tapdev",
                wanted="one that is surely coLinux's",
                lift="choose bridge, or take OpenVPN away",
                cost="WinPcap on the desktop, or the owner's VPN",
            )
        )
    if not fitting:
        found.append(
            _tap_name(", ".join(each.connection for each in there) or "no connection", wanted.adapter)
        )
    elif strange(fitting[0].connection):
        found.append(
            Refusal(
                "tap-localised",
                "TAP adapter of this desktop",
                seen=fitting[0].connection,
                wanted="an ASCII name, the same in every language",
                lift='netsh interface set interface name="OLD" newname=TAP-coLinux',
                cost="nothing",
            )
        )
    return found


def _signing(seen: Seen, wanted: Wanted) -> list[Refusal]:
    """TAP is not there: can it be installed while nobody is there to answer?"""

    def refuse(trap: str, told: str, lift: str, cost: str) -> list[Refusal]:
        thing = "signature of the TAP driver"
        return [Refusal(trap, thing, seen=told, wanted="no question: it has none", lift=lift, cost=cost)]

    if seen.windows and seen.windows >= (6, 0):
        if wanted.accept_untested:
            return []
        return refuse(
            "signing-vista",
            "Vista and 7 ask about drivers without a signed catalogue",
            "choose bridge; or sign a catalogue of your own, trust its certificate, and set accept_untested",
            "WinPcap; or a certificate trusted with drivers, of which nobody has told whether it suffices",
        )
    if seen.signing == 2:
        return refuse(
            "signing-block",
            "Windows refuses unsigned drivers",
            "choose bridge; or have the domain's policy allow it",
            "WinPcap on the desktop; or a desktop that takes any driver",
        )
    if seen.signing == 0:
        return []
    return refuse(
        "signing-prompt",
        "Windows asks, and nobody is there to answer",
        "choose bridge; or install TAP by hand once, or have the domain's policy allow it",
        "WinPcap on the desktop; a visit; or a desktop that takes any driver",
    )


def _two_taps(names: str, component: str) -> Refusal:
    return Refusal(
        "tap-two",
        "TAP adapters of this desktop",
        seen=names,
        wanted=f"one: every install adds another {component}",
        lift="name one with adapter, or remove the other in the Device Manager",
        cost="nothing",
    )


def _tap_name(names: str, name: str) -> Refusal:
    return Refusal(
        "tap-name",
        f"TAP adapter {name or 'of this desktop'}",
        seen=names,
        wanted="a connection of exactly that name",
        lift=f'netsh interface set interface name="OLD" newname="{name or "TAP-coLinux"}"',
        cost="nothing",
    )
