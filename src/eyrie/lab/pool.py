# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the lab's master what HTCondor's pool looks like."""

from __future__ import annotations

from dataclasses import dataclass

from eyrie.lab.lab import Lab

ATTRIBUTES = ("Name", "EyrieDesktop", "State", "Activity", "Memory", "Cpus")
# Without a collector condor_status tries for long; without HTCondor the shell says 127.
QUERY = ["timeout", "10", "condor_status", "-af:t", *ATTRIBUTES]
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Slot:
    """One slot as the collector knows it."""

    name: str
    desktop: str
    state: str
    activity: str
    memory_mib: str
    cpus: str


def read_slots(lab: Lab) -> list[Slot] | None:
    """Return the slots, or None when no pool answers."""
    masters = [host.name for host in lab.topology.hosts if "masters" in host.groups]
    states = {status.host.name: status.state for status in lab.status()}
    for master in masters:
        if states[master] == "up":
            done = lab.run(master, QUERY, timeout=TIMEOUT_SECONDS)
            if done.returncode == 0:
                return parse(done.stdout)
    return None


def parse(output: str) -> list[Slot]:
    """Parse condor_status's tab-separated lines; an attribute that a slot lacks reads `undefined`."""
    rows = [line.split("\t") for line in output.splitlines() if line.strip()]
    return [
        Slot(*("-" if value == "undefined" else value for value in row))
        for row in rows
        if len(row) == len(ATTRIBUTES)
    ]
