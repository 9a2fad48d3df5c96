# SPDX-License-Identifier: GPL-3.0-or-later
"""What an idle source tells, and how several are taken together: unknown means busy."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Iterable, Protocol, Sequence


class Kind(str, enum.Enum):
    """What a source knows."""

    IDLE = "idle"  # `seconds` since the last activity
    UNKNOWN = "unknown"  # it should know and does not: busy
    ABSENT = "not-present"  # there is nothing of its kind on this desktop


@dataclass(frozen=True)
class Reading:
    """One source's answer at one moment."""

    source: str
    kind: Kind
    seconds: float = 0.0
    detail: str = ""


class Source(Protocol):
    """A way of telling whether somebody works here. `person` says that it watches people, not the machine."""

    name: str
    person: bool

    def read(self, now: float) -> Reading:
        """Return what is known at monotonic time `now`; never waits for long, never raises OSError."""

    def filenos(self) -> Iterable[int]:
        """Return the descriptors whose readiness should wake the agent at once."""

    def ready(self, fileno: int, now: float) -> None:
        """Take note that a descriptor is readable."""

    def close(self) -> None:
        """Let go of everything."""


class Quiet:
    """The part of Source that a purely polled source shares."""

    def filenos(self) -> Iterable[int]:
        """Return nothing: this source is polled."""
        return ()

    def ready(self, fileno: int, now: float) -> None:
        """Never called: there are no descriptors."""

    def close(self) -> None:
        """Hold nothing, let go of nothing."""


@dataclass(frozen=True)
class Idleness:
    """All readings in one: how long everybody has been away, or why that is not known."""

    seconds: float | None
    reason: str


def combine(readings: Sequence[Reading], people: frozenset[str]) -> Idleness:
    """Return the least idle of all readings; unknown if one is, or if no source of `people` is there."""
    for reading in readings:
        if reading.kind is Kind.UNKNOWN:
            return Idleness(None, f"{reading.source}: {reading.detail}, and unknown means busy")
    present = [reading for reading in readings if reading.kind is Kind.IDLE]
    if not any(reading.source in people for reading in present):
        return Idleness(None, "nothing here tells whether somebody works at this desktop")
    least = min(present, key=lambda reading: reading.seconds)
    return Idleness(least.seconds, f"{least.source}: {least.detail}")
