# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of labs share: their steps, what is said on their hosts, and every trace of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eyrie.lab import Lab
from eyrie.lab.container import NSPAWN_RUNTIME
from eyrie.lab.paths import Paths


class Recorder:
    """A progress that remembers the steps."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        self.titles.append(title)
        yield

    def note(self, text: str) -> None:
        raise AssertionError(text)


def traces(name: str) -> set[str]:
    """Everything of a lab that the machine still knows."""
    found = {str(path) for path in Path("/run/netns").glob(f"eyrie.{name}.*")}
    found |= {line for line in Path("/proc/self/mounts").read_text().splitlines() if f"/{name}/" in line}
    found |= {str(path) for path in Path("/sys/fs/cgroup").rglob(f"eyrie-lab/{name}")}
    found |= {str(path) for path in NSPAWN_RUNTIME.rglob(f"*eyrie.{name}.*")}
    found |= {str(path) for path in [Paths(name).state] if path.exists()}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            groups = (process / "cgroup").read_text()
        except OSError:  # ended meanwhile
            continue
        if not command:  # ended, not yet buried by PID 1
            continue
        if f"eyrie-lab/{name}/" in command + groups or f"eyrie.{name}." in command:
            found.add(f"{process.name}: {command}")
    return found


def nspawn_locks() -> set[str]:
    return {path.name for path in (NSPAWN_RUNTIME / "locks").glob("*")}


def steps(lab: Lab) -> list[str]:
    assert isinstance(lab.progress, Recorder)
    return lab.progress.titles


def said(lab: Lab, host: str, line: str) -> str:
    done = lab.run(host, ["sh", "-c", line], timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
