# SPDX-License-Identifier: GPL-3.0-or-later
"""From the moment a desktop is idle by its own rule to its slot in condor_status."""

from __future__ import annotations

from tests.bench.figure import Figure
from tests.bench.office import JOIN_SECONDS, Office

WHAT = "desktop idle to slot visible in `condor_status`"
NOTE = (
    "From the owner's last keystroke plus the configured idle time; the polling of the idle sources, the "
    "guest's start and our own look at condor_status every 0.25 s are included. One desktop joins at a time."
)


def measure(office: Office) -> list[Figure]:
    """Press a key, let the desktop leave, and wait for it to come back by itself."""
    desktop = office.desktops[0]
    needed = float(str(office.agent_status(desktop)["needed_idle_seconds"]))
    values = []
    with office.lab.owner(desktop) as person:
        for number in range(max(1, office.options.repetitions // 4)):
            office.wait_joined()
            pressed = person.type()
            office.wait(f"{desktop} leaves", lambda: desktop not in office.pool.desktops(), 30)
            idle_at = pressed + needed
            seen = office.wait(f"{desktop} joins", lambda: desktop in office.pool.desktops(), JOIN_SECONDS)
            values.append(seen - idle_at)
            office.say(f"idle to slot, {number + 1}: {values[-1]:.1f} s")
    return [Figure(WHAT, 15, "s", tuple(values), "max", NOTE)]
