# SPDX-License-Identifier: GPL-3.0-or-later
"""From an owner's last keystroke, and the idle time after it, to the desktop's slot in condor_status."""

from __future__ import annotations

from tests.bench.figure import Figure
from tests.bench.office import JOIN_SECONDS, Office

WHAT = "desktop idle to slot visible in `condor_status`"
NOTE = (
    "From the last keystroke plus the configured idle time. Noticing that it is over, the check of the way "
    "to the pool, the guest's boot and our look at condor_status every 0.25 s are included. One desktop "
    "joins at a time."
)
PART = "of that, from the moment the agent begins"
PART_NOTE = "What is left between the two is the agent's idle sources and our way of asking it."


def measure(office: Office) -> list[Figure]:
    """Press a key, let the desktop leave, and wait for it to come back by itself."""
    desktop = office.desktops[0]
    needed = float(str(office.agent_status(desktop)["needed_idle_seconds"]))
    boots, wholes = [], []
    with office.lab.owner(desktop) as person:
        for number in range(max(1, office.options.repetitions // 4)):
            office.wait_joined()
            pressed = person.type()
            office.wait(f"{desktop} leaves", lambda: desktop not in office.pool.desktops(), 30)
            began = office.wait(f"{desktop} starts its guest", lambda: _starts(office, desktop), JOIN_SECONDS)
            seen = office.wait(f"{desktop} joins", lambda: desktop in office.pool.desktops(), JOIN_SECONDS)
            boots.append(seen - began)
            wholes.append(seen - pressed - needed)
            office.say(f"idle to slot, {number + 1}: {wholes[-1]:.1f} s, {boots[-1]:.1f} s of it the start")
    return [
        Figure(WHAT, 15, "s", tuple(wholes), "max", NOTE),
        Figure(PART, None, "s", tuple(boots), "max", PART_NOTE),
    ]


def _starts(office: Office, desktop: str) -> bool:
    return office.agent_status(desktop)["state"] == "starting"
