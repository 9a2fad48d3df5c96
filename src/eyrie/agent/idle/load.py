# SPDX-License-Identifier: GPL-3.0-or-later
"""Work of the owner's that goes on without the owner: processor time used by anything but the guest."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import Callable

from eyrie.agent.idle.base import Kind, Quiet, Reading

WINDOW_SECONDS = 10.0
SAMPLE_SECONDS = 2.0  # the window needs no finer grain, and reading costs


class Load(Quiet):
    """Busy while foreign processor use, averaged over the window, is above a share of the whole desktop."""

    name = "load"
    person = False

    def __init__(
        self,
        now: float,
        percent: float,
        guest_cpu: Callable[[], float],
        total_cpu: Callable[[], float] | None = None,
        cores: int = 0,
    ) -> None:
        self._limit = percent
        self._guest_cpu = guest_cpu
        self._total_cpu = total_cpu or total_reader()
        self._cores = cores or os.cpu_count() or 1
        self._samples: deque[tuple[float, float]] = deque()
        self._last = now
        self._percent = 0.0

    def read(self, now: float) -> Reading:
        """Return the seconds since foreign use was last above the limit."""
        if not self._samples or now - self._samples[-1][0] >= SAMPLE_SECONDS:
            try:
                self._sample(now)
            except (OSError, ValueError) as error:
                return Reading(self.name, Kind.UNKNOWN, detail=f"processor use cannot be read ({error})")
        detail = f"other programs use {self._percent:.0f} % of the processors (limit {self._limit:g} %)"
        return Reading(self.name, Kind.IDLE, max(0.0, now - self._last), detail)

    def _sample(self, now: float) -> None:
        foreign = self._total_cpu() - self._guest_cpu()
        self._samples.append((now, foreign))
        while len(self._samples) > 2 and now - self._samples[1][0] >= WINDOW_SECONDS:
            self._samples.popleft()
        then, before = self._samples[0]
        if now - then < SAMPLE_SECONDS:
            self._last = now  # nothing measured yet
            return
        # The two clocks are not read at one moment: a full machine may seem to use a little more than all.
        self._percent = min(100.0, max(0.0, 100.0 * (foreign - before) / (now - then) / self._cores))
        if self._percent > self._limit:
            self._last = now


def total_reader(
    cgroup: Path = Path("/sys/fs/cgroup"), proc_stat: Path = Path("/proc/stat")
) -> Callable[[], float]:
    """Return a function for the processor seconds this desktop has used.

    A container's own group counts first: /proc/stat shows the whole machine even inside a container, the root
    of the cgroup tree only what is ours.
    """
    usage = cgroup / "cpu.stat"
    if usage.is_file():
        descriptor = os.open(usage, os.O_RDONLY | os.O_CLOEXEC)
        return lambda: _usage_seconds(os.pread(descriptor, 4096, 0))
    descriptor = os.open(proc_stat, os.O_RDONLY | os.O_CLOEXEC)
    ticks = float(os.sysconf("SC_CLK_TCK"))
    return lambda: _busy_ticks(os.pread(descriptor, 4096, 0)) / ticks


def _usage_seconds(text: bytes) -> float:
    """Return the seconds of `usage_usec` in a cgroup's cpu.stat."""
    for line in text.splitlines():
        if line.startswith(b"usage_usec "):
            return int(line.split()[1]) / 1e6
    raise ValueError("cpu.stat without usage_usec")


def _busy_ticks(text: bytes) -> int:
    """Return the ticks of /proc/stat's first line that were neither idle nor waiting for disks."""
    words = text.split(b"\n", 1)[0].split()
    if len(words) < 8 or words[0] != b"cpu":
        raise ValueError("/proc/stat without a cpu line")
    user, nice, system, _idle, _iowait, irq, softirq, *steal = (int(word) for word in words[1:9])
    return user + nice + system + irq + softirq + (steal[0] if steal else 0)
