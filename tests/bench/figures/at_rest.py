# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent, and the guest without a job, cost a desktop."""

from __future__ import annotations

import time

from eyrie.errors import EyrieError
from tests.bench.figure import Figure
from tests.bench.office import Office
from tests.bench.processes import cpu_seconds, resident_mib

SECONDS = 60.0
AGENT = "eyrie-agent.pyz"
CPU, RSS, GUEST = "agent at rest: CPU", "agent at rest: memory", "guest at rest: QEMU memory"
AGENT_NOTE = "Over 60 s on each desktop, joined and without a job, default polling; VmRSS at the end."
GUEST_NOTE = "VmRSS of QEMU after those 60 s; the guest has 256 MiB."


def measure(office: Office) -> list[Figure]:
    """Watch all desktops for a minute while nothing happens."""
    office.wait_joined()
    agents = [_pid(office, desktop, AGENT) for desktop in office.desktops]
    guests = [_pid(office, desktop, "qemu-system-x86_64") for desktop in office.desktops]
    office.say(f"agents and guests at rest: {SECONDS:.0f} s")
    start, before = time.monotonic(), [cpu_seconds(pid) for pid in agents]
    time.sleep(SECONDS)
    spent = time.monotonic() - start
    after = [cpu_seconds(pid) for pid in agents]
    percents = tuple((end - begin) / spent * 100 for begin, end in zip(before, after, strict=True))
    return [
        Figure(CPU, 0.2, "% of one core", percents, "max", AGENT_NOTE),
        Figure(RSS, 40, "MiB", tuple(resident_mib(pid) for pid in agents), "max"),
        Figure(GUEST, 320, "MB", tuple(resident_mib(pid) * 1.048576 for pid in guests), "max", GUEST_NOTE),
    ]


def _pid(office: Office, desktop: str, sign: str) -> int:
    pid = office.process(desktop, sign)
    if pid is None:
        raise EyrieError(
            f"{sign} on {desktop}", seen="no process", wanted="a joined desktop", next_step="run site.yml"
        )
    return pid
