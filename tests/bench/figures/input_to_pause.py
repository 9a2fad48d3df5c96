# SPDX-License-Identifier: GPL-3.0-or-later
"""From an owner's keystroke to the guest's CPU use being zero."""

from __future__ import annotations

import time
from contextlib import ExitStack

from eyrie.lab.owner import Person
from tests.bench.figure import Figure
from tests.bench.many import DESKTOPS, many_desktops
from tests.bench.office import BURN, JOIN_SECONDS, POLL_SECONDS, Jobs, Office
from tests.bench.processes import cpu_seconds, sampled
from tests.bench.quiet import quiet_from, use

WHAT = "owner's input to guest CPU use zero"
NOTE = (
    "A key into a real terminal of the desktop while a job burns CPU in its guest. QEMU's CPU clock is "
    "sampled every 3 ms; zero is the start of the first 0.5 s in which it gets at most 2 % of a core. "
    "The agent's polling is included. After the first second the guest may run again, in the idle class, "
    "to hand its job back."
)
HUNDRED = 100
BEFORE_SECONDS = 0.5
BUSY_CORES = 0.25  # it may have to share two cores with guests that boot meanwhile
AFTER_SECONDS = 4.0
WINDOW_SECONDS = 0.5
SHARE = 0.02


def measure(office: Office) -> list[Figure]:
    """Some keystrokes in the lab that is up, or a hundred in one that is quicker to return to work."""
    if not office.options.full:
        return [Figure(WHAT, 1, "s", _keystrokes(office, office.options.repetitions), "p99", NOTE)]
    with many_desktops(office.options) as many:
        values = _keystrokes(many, HUNDRED)
        office.guests_ran_with |= {many.accelerator(desktop) for desktop in many.desktops} - {""}
    note = f"{NOTE} In a lab of {DESKTOPS} desktops, where one computes while others boot beside it."
    return [Figure(WHAT, 1, "s", values, "p99", note)]


def _keystrokes(office: Office, wanted: int) -> tuple[float, ...]:
    """Whichever desktop computes first has its owner come back; the others return meanwhile."""
    values: list[float] = []
    done: set[int] = set()  # guests that were asked to leave
    with ExitStack() as stack:
        people = {desktop: stack.enter_context(office.lab.owner(desktop)) for desktop in office.desktops}
        jobs = stack.enter_context(office.jobs(BURN, len(office.desktops)))
        while len(values) < wanted:
            desktop, guest = _computing(office, jobs, done)
            value = _pause(guest, people[desktop])
            done.add(guest)
            if value is None:  # the guest was not really computing when the key came: no measurement
                continue
            values.append(value)
            office.say(f"input to CPU zero, {len(values)} of {wanted}, {desktop}: {value:.3f} s")
    return tuple(values)


def _computing(office: Office, jobs: Jobs, done: set[int]) -> tuple[str, int]:
    """Wait until the guest of some desktop computes one of the jobs; return both."""
    found: list[tuple[str, int]] = []

    def look() -> bool:
        for desktop in jobs.running_on():
            guest = office.guest(desktop)
            if guest is not None and guest not in done and _burns(guest):
                found.append((desktop, guest))
                return True
        return False

    office.wait("a job on some desktop", look, JOIN_SECONDS)
    return found[0]


def _burns(guest: int) -> bool:
    """Whether a guest gets enough CPU to be seen losing it; it may have gone meanwhile."""
    try:
        used = cpu_seconds(guest)
        time.sleep(POLL_SECONDS)
        return cpu_seconds(guest) - used >= BUSY_CORES * POLL_SECONDS
    except OSError:
        return False


def _pause(guest: int, person: Person) -> float | None:
    with sampled(guest) as samples:
        time.sleep(BEFORE_SECONDS)
        pressed = person.type()
        quiet = None
        while quiet is None and time.monotonic() < pressed + AFTER_SECONDS:
            time.sleep(WINDOW_SECONDS)
            quiet = quiet_from(samples, pressed, WINDOW_SECONDS, SHARE)
    if use(samples, pressed - BEFORE_SECONDS, pressed) < BUSY_CORES:
        return None
    return AFTER_SECONDS if quiet is None else quiet - pressed
