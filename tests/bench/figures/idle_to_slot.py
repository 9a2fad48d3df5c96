# SPDX-License-Identifier: GPL-3.0-or-later
"""From the moment a desktop is idle by its own rule to its slot in condor_status."""

from __future__ import annotations

from tests.bench.figure import Figure
from tests.bench.office import JOIN_SECONDS, Office

WHAT = "desktop idle to slot visible in `condor_status`"
NOTE = (
    "From the moment the agent counts the desktop as idle for long enough: its check of the way to the pool, "
    "the guest's boot and our look at condor_status every 0.25 s are included. One desktop joins at a time."
)
WHOLE = "the same from the last keystroke plus the configured idle time"
WHOLE_NOTE = (
    "The kernel tells a terminal's last use only to 8 s (drivers/tty/tty_io.c), and the agent assumes the "
    "later end; keyboards and X displays tell it at once. The polling of the idle sources is included, too."
)


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
            office.say(f"idle to slot, {number + 1}: {boots[-1]:.1f} s, in all {wholes[-1]:.1f} s")
    return [
        Figure(WHAT, 15, "s", tuple(boots), "max", NOTE),
        Figure(WHOLE, None, "s", tuple(wholes), "max", WHOLE_NOTE),
    ]


def _starts(office: Office, desktop: str) -> bool:
    return office.agent_status(desktop)["state"] == "starting"
