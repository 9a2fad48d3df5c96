# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of a lab's host as this machine's kernel sees them: no ssh, no polling inside the host."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.bench.quiet import Sample

PROC = Path("/proc")
SAMPLE_SECONDS = 0.003


def of_namespace(namespace: str) -> list[int]:
    """The processes in a named network namespace."""
    wanted = (Path("/run/netns") / namespace).stat().st_ino
    found = []
    for entry in PROC.iterdir():
        try:
            if entry.name.isdigit() and (entry / "ns/net").stat().st_ino == wanted:
                found.append(int(entry.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
        except PermissionError:  # a container's root may not look at everybody: none of those is the lab's
            continue
    return found


def command(pid: int) -> list[str]:
    """The command line, empty once the process is gone."""
    try:
        return (PROC / str(pid) / "cmdline").read_text(errors="replace").rstrip("\0").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def alive(pid: int) -> bool:
    """False once the process has given its memory back: gone, or a zombie."""
    try:
        state = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def resident_mib(pid: int) -> float:
    """VmRSS."""
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads so far, by the process's own POSIX clock: /proc counts in ticks of 10 ms."""
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def sampled(pid: int) -> Iterator[list[Sample]]:
    """Sample a process's CPU time in the background; after its end the last value is repeated."""
    samples: list[Sample] = []
    stop = threading.Event()

    def sample() -> None:
        used = 0.0
        while not stop.is_set():
            with suppress(OSError):  # EINVAL: the process is gone, and uses nothing any more
                used = cpu_seconds(pid)
            samples.append((time.monotonic(), used))
            time.sleep(SAMPLE_SECONDS)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()
