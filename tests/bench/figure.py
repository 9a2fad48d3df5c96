# SPDX-License-Identifier: GPL-3.0-or-later
"""A measured figure beside what it has to reach, and the little statistics it needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Judged = Literal["median", "p99", "max"]


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest-rank percentile: always a value that was really measured."""
    if not values or not 0 < percent <= 100:
        raise ValueError(f"percentile {percent} of {len(values)} values")
    ordered = sorted(values)
    return ordered[math.ceil(percent / 100 * len(ordered)) - 1]


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle."""
    if not values:
        raise ValueError("median of no values")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


@dataclass(frozen=True)
class Figure:
    """One line of the table; `judged` is the statistic that must stay within `limit` (None: only counted)."""

    what: str
    limit: float | None
    unit: str
    values: tuple[float, ...] = ()
    judged: Judged = "max"
    note: str = ""
    failed: str = ""  # why there is no measurement
    left_out: str = ""  # what this machine lacks for it; no fault

    @property
    def value(self) -> float:
        """The statistic that is judged."""
        if self.judged == "median":
            return median(self.values)
        return percentile(self.values, 99 if self.judged == "p99" else 100)

    @property
    def reached(self) -> bool | None:
        """Whether the figure is reached, None if there is nothing to say."""
        return self.value <= self.limit if self.values and self.limit is not None else None

    @property
    def reach(self) -> str:
        if self.limit is None:
            return "-"
        return f"≤ {number(self.limit)} {self.unit}" + (f" ({self.judged})" if self.judged != "max" else "")

    @property
    def measured(self) -> str:
        """The measurement in words, the number of samples included."""
        if not self.values:
            return "-"
        if len(self.values) == 1:
            return f"{number(self.values[0])} {self.unit} (n=1)"
        count = len(self.values)
        top = "max" if self.judged != "p99" else "p99" if count >= 100 else "p99=max"
        high = percentile(self.values, 99 if top == "p99" else 100)
        return f"median {number(median(self.values))}, {top} {number(high)} {self.unit} (n={count})"

    @property
    def verdict(self) -> str:
        if not self.values:
            reason = self.failed or self.left_out
            return f"not measured: {reason}" if reason else "not measured"
        if self.limit is None:
            return "counted"
        return "reached" if self.reached else "missed"


def number(value: float) -> str:
    """Three digits that matter, never an exponent."""
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
