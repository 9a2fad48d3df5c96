# SPDX-License-Identifier: GPL-3.0-or-later
"""When did a process stop using the CPU? Pure, over samples of (time, CPU seconds)."""

from __future__ import annotations

from collections.abc import Sequence

Sample = tuple[float, float]


def use(samples: Sequence[Sample], start: float, end: float) -> float:
    """CPU use in cores between two times, from the samples that lie between them."""
    inside = [sample for sample in samples if start <= sample[0] <= end]
    if len(inside) < 2 or inside[-1][0] == inside[0][0]:
        raise ValueError(f"{len(inside)} samples in {end - start:.3f} s")
    return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])


def quiet_from(samples: Sequence[Sample], after: float, window: float, share: float) -> float | None:
    """The first sample from `after` on that at most `share` of a core is used for `window` seconds from.

    None if there is no such time, or if the samples end before the window does.
    """
    later = [sample for sample in samples if sample[0] >= after]
    for number, (start, used) in enumerate(later):
        beyond = next((sample for sample in later[number:] if sample[0] >= start + window), None)
        if beyond is None:
            return None
        if beyond[1] - used <= share * window:
            return start
    return None
