# SPDX-License-Identifier: GPL-3.0-or-later
"""From an owner's keystroke to the guest's memory being free, and to its job executing on another desktop."""

from __future__ import annotations

from contextlib import ExitStack

from eyrie.errors import EyrieError
from tests.bench.figure import Figure
from tests.bench.office import JOIN_SECONDS, SLEEP, Office
from tests.bench.processes import alive

MEMORY = "owner's input to guest memory released"
ELSEWHERE = "owner's input to job executing elsewhere"
MEMORY_NOTE = "Until QEMU's process has ended (looked at every 10 ms)."
ELSEWHERE_NOTE = (
    "One job, another desktop idle in the pool; until the job's event log shows the next execution "
    "(read every 0.25 s)."
)


def measure(office: Office) -> list[Figure]:
    """Chase one long job from desktop to desktop."""
    if len(office.desktops) < 2:
        raise EyrieError("desktops of the lab", seen=len(office.desktops), wanted="two or more")
    released, elsewhere = [], []
    with ExitStack() as stack:
        people = {desktop: stack.enter_context(office.lab.owner(desktop)) for desktop in office.desktops}
        jobs = stack.enter_context(office.jobs(SLEEP, 1))
        for number in range(max(1, office.options.repetitions // 4)):
            office.wait("the job executes", lambda: bool(jobs.running_on()), JOIN_SECONDS)
            office.wait_joined()
            before = jobs.stories()[0]
            desktop = str(before.desktop)
            guest = office.guest(desktop)
            if guest is None:
                raise EyrieError(f"guest of {desktop}", seen="no process", wanted="QEMU, as its job executes")
            pressed = people[desktop].type()
            gone = office.wait(f"{desktop}'s guest ends", lambda guest=guest: not alive(guest), 60, 0.01)  # type: ignore[misc]
            again = office.wait(
                "the job executes elsewhere",
                lambda desktop=desktop: bool(jobs.running_on() - {desktop}),  # type: ignore[misc]
                JOIN_SECONDS,
            )
            released.append(gone - pressed)
            elsewhere.append(again - pressed)
            result = f"memory {released[-1]:.1f} s, elsewhere {elsewhere[-1]:.1f} s"
            office.say(f"eviction, {number + 1}, {desktop}: {result}")
    return [
        Figure(MEMORY, 8, "s", tuple(released), "max", MEMORY_NOTE),
        Figure(ELSEWHERE, 20, "s", tuple(elsewhere), "max", ELSEWHERE_NOTE),
    ]
