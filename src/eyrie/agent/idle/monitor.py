# SPDX-License-Identifier: GPL-3.0-or-later
"""All idle sources of one configuration, as one."""

from __future__ import annotations

from typing import Callable, Iterable, Protocol

from eyrie.agent.config import IdleConfig
from eyrie.agent.idle.base import Idleness, Reading, Source, combine


class Watch(Protocol):
    """What the service needs of a monitor."""

    def read(self, now: float) -> Idleness:
        """Return how long everybody has been away."""

    def readings(self) -> Iterable[Reading]:
        """Return what the sources said last."""

    def filenos(self) -> Iterable[int]:
        """Return the descriptors that should wake the agent."""

    def ready(self, fileno: int, now: float) -> None:
        """Pass on that a descriptor is readable."""

    def close(self) -> None:
        """Let go of everything."""


class Monitor:
    """Reads the sources and combines what they say."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = tuple(sources)
        self._people = frozenset(source.name for source in self._sources if source.person)
        self._readings: tuple[Reading, ...] = ()

    def read(self, now: float) -> Idleness:
        """Return how long everybody has been away."""
        self._readings = tuple([source.read(now) for source in self._sources])
        return combine(self._readings, self._people)

    def readings(self) -> Iterable[Reading]:
        """Return what the sources said last."""
        return self._readings

    def filenos(self) -> Iterable[int]:
        """Return the descriptors that should wake the agent."""
        return [fileno for source in self._sources for fileno in source.filenos()]

    def ready(self, fileno: int, now: float) -> None:
        """Pass on that a descriptor is readable."""
        for source in self._sources:
            if fileno in source.filenos():
                source.ready(fileno, now)

    def close(self) -> None:
        """Let go of everything."""
        for source in self._sources:
            source.close()


def build(config: IdleConfig, now: float, guest_cpu: Callable[[], float]) -> Monitor:
    """Return a monitor of the configured sources of a Linux desktop."""
    # Not at the top: Windows has its own, and lacks what most of these stand on.
    from eyrie.agent.idle.calendar import Calendar
    from eyrie.agent.idle.input_devices import InputDevices
    from eyrie.agent.idle.load import Load
    from eyrie.agent.idle.logind import Logind
    from eyrie.agent.idle.terminal import Terminal
    from eyrie.agent.idle.x11 import X11

    wanted = set(config.sources)
    x11 = X11() if "x11" in wanted else None
    measured = x11.measured if x11 is not None else frozenset
    makers: dict[str, Callable[[], Source]] = {
        "terminal": lambda: Terminal(now, config.ignored_users),
        "logind": lambda: Logind(measured=measured, ignored_users=config.ignored_users),
        "input_devices": lambda: InputDevices(now),
        "load": lambda: Load(now, config.foreign_cpu_percent, guest_cpu),
        "calendar": lambda: Calendar(config.calendar),
    }
    first: list[Source] = [x11] if x11 is not None else []  # logind asks what X11 has measured
    return Monitor(first + [make() for name, make in makers.items() if name in wanted])
