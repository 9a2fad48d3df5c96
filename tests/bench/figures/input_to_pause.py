# SPDX-License-Identifier: GPL-3.0-or-later
"""From an owner's keystroke to the guest's CPU use being zero."""

from __future__ import annotations

import time
from contextlib import ExitStack

from eyrie.lab.owner import Person
from tests.bench.figure import Figure
from tests.bench.office import BURN, JOIN_SECONDS, Jobs, Office
from tests.bench.processes import alive, sampled
from tests.bench.quiet import quiet_from, use

WHAT = "owner's input to guest CPU use zero"
NOTE = (
    "A key into a real terminal of the desktop while a job burns CPU in its guest. QEMU's CPU clock is "
    "sampled every 3 ms; zero is the start of the first 0.5 s in which it gets at most 2 % of a core. "
    "The agent's polling is included. After the first second the guest may run again, in the idle class, "
    "to hand its job back."
)
BEFORE_SECONDS = 0.5
BUSY_CORES = 0.5
AFTER_SECONDS = 4.0
WINDOW_SECONDS = 0.5
SHARE = 0.02


def measure(office: Office) -> list[Figure]:
    """Each repetition takes the desktop that computes first; the others come back meanwhile."""
    wanted = 100 if office.options.full else office.options.repetitions
    values: list[float] = []
    with ExitStack() as stack:
        people = {desktop: stack.enter_context(office.lab.owner(desktop)) for desktop in office.desktops}
        jobs = stack.enter_context(office.jobs(BURN, len(office.desktops)))
        while len(values) < wanted:
            desktop, guest = _computing(office, jobs)
            value = _pause(guest, people[desktop])
            if value is None:  # the guest was not really computing when the key came: no measurement
                continue
            values.append(value)
            office.say(f"input to CPU zero, {len(values)} of {wanted}, {desktop}: {value:.3f} s")
            office.wait(f"{desktop}'s guest ends", lambda guest=guest: not alive(guest), 30)  # type: ignore[misc]
    return [Figure(WHAT, 1, "s", tuple(values), "p99", NOTE)]


def _computing(office: Office, jobs: Jobs) -> tuple[str, int]:
    """Wait until some desktop executes one of the jobs; return it and its guest's process."""
    found: list[tuple[str, int]] = []

    def look() -> bool:
        for desktop in jobs.running_on():
            guest = office.guest(desktop)
            if guest is not None:
                found.append((desktop, guest))
        return bool(found)

    office.wait("a job on some desktop", look, JOIN_SECONDS)
    return found[0]


def _pause(guest: int, person: Person) -> float | None:
    with sampled(guest) as samples:
        time.sleep(BEFORE_SECONDS)
        pressed = person.type()
        time.sleep(max(0.0, pressed + AFTER_SECONDS - time.monotonic()))
    if use(samples, pressed - BEFORE_SECONDS, pressed) < BUSY_CORES:
        return None
    quiet = quiet_from(samples, pressed, WINDOW_SECONDS, SHARE)
    return AFTER_SECONDS if quiet is None else quiet - pressed
