# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides on a desktop from what it said."""

from __future__ import annotations

from collections.abc import Iterator

from eyrie.guests.colinux.preflight import judge_machine, judge_network, judge_tap, judge_windows
from eyrie.guests.colinux.preflight.model import RUNNING, Seen, Verdict, Wanted
from eyrie.guests.colinux.preflight.script import DRIVER


def judge(seen: Seen, wanted: Wanted) -> Verdict:
    """Return every refusal at once, in a stable order."""
    adapter, network = judge_network.bridge(seen, wanted)
    refusals = (
        *judge_windows.refusals(seen, wanted),
        *judge_machine.refusals(seen, wanted),
        *judge_network.kind(wanted),
        *network,
        *judge_tap.refusals(seen, wanted),
    )
    return Verdict(refusals, tuple(_notes(seen, wanted)), adapter, judge_windows.weakening(seen, wanted))


def _notes(seen: Seen, wanted: Wanted) -> Iterator[str]:
    if seen.services.get(DRIVER.lower()) == RUNNING:
        yield (
            f"{DRIVER} runs already, from {seen.driver_image or 'an unknown file'}; its release is not told:"
            " daemon, driver and kernel must be of one"
        )
    if seen.free_ram is not None and seen.free_ram < wanted.memory_mib << 20:
        yield (
            f"{seen.free_ram >> 20} MiB of memory are free now, the guest takes {wanted.memory_mib} MiB:"
            " the owner's programs would be paged out"
        )
    if wanted.release.number < (0, 6, 3):
        yield (
            f"{wanted.release} is not told when Windows shuts down: its guests end as by a power cut, unless"
            " they are stopped before"
        )
