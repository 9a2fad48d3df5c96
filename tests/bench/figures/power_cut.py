# SPDX-License-Identifier: GPL-3.0-or-later
"""From a desktop's power cut, with no goodbye of any kind, to its job executing on another desktop."""

from __future__ import annotations

import time

from eyrie.errors import EyrieError
from tests.bench.figure import Figure
from tests.bench.office import JOIN_SECONDS, SLEEP, Office

WHAT = "desktop's power cut: job executing elsewhere"
NOTE = (
    "From before the link is taken away; bounded by TCP keepalive (the master notices), the job's lease (it "
    "gives up waiting for the desktop) and one negotiation."
)
PATIENCE_SECONDS = 600.0


def measure(office: Office) -> list[Figure]:
    """Cut the power under a running job; switch the desktop on again afterwards."""
    if len(office.desktops) < 2:
        raise EyrieError("desktops of the lab", seen=len(office.desktops), wanted="two or more")
    values = []
    with office.jobs(SLEEP, 1) as jobs:
        for number in range(3 if office.options.full else 1):
            office.wait("the job executes", lambda: bool(jobs.running_on()), JOIN_SECONDS)
            office.wait_joined()
            desktop = str(jobs.stories()[0].desktop)
            cut = time.monotonic()
            office.lab.power_cut(desktop)
            try:
                again = office.wait(
                    "the job executes elsewhere",
                    lambda desktop=desktop: bool(jobs.running_on() - {desktop}),  # type: ignore[misc]
                    PATIENCE_SECONDS,
                )
            finally:
                office.lab.power_on(desktop)
            values.append(again - cut)
            office.say(f"power cut, {number + 1}, {desktop}: elsewhere after {values[-1]:.1f} s")
    return [Figure(WHAT, 120, "s", tuple(values), "max", NOTE)]
