# SPDX-License-Identifier: GPL-3.0-or-later
"""Clock trouble told from ordinary time: who slept or was set right does not know when the owner was here."""

from __future__ import annotations

import time
from dataclasses import dataclass

WALL_JUMP = 5.0  # seconds; slewing moves the clock by half a millisecond in a second at most
SLEEP = 2.0
GAP = 15.0  # no step of the agent takes so long unless the machine stood still


@dataclass(frozen=True)
class Moment:
    """The same instant on three clocks, in seconds."""

    monotonic: float
    boot: float  # like monotonic, but counts time asleep
    wall: float


def moment() -> Moment:
    """Read the clocks."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    monotonic = time.monotonic()
    return Moment(monotonic, monotonic if boot is None else time.clock_gettime(boot), time.time())


def jump(before: Moment, after: Moment) -> str:
    """Return what is wrong with the clocks between two steps, empty if nothing."""
    passed = after.monotonic - before.monotonic
    asleep = (after.boot - before.boot) - passed
    if asleep > SLEEP:
        return f"the machine slept for {asleep:.0f} s"
    moved = (after.wall - before.wall) - passed
    if abs(moved) > WALL_JUMP:
        return f"the clock was set {'forward' if moved > 0 else 'back'} by {abs(moved):.0f} s"
    if passed > GAP:
        return f"the agent stood still for {passed:.0f} s"
    return ""
