# SPDX-License-Identifier: GPL-3.0-or-later
"""The fake's /proc: a tmpfs with links into the real one, and openMosix's files, polled for writes."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from eyrie.lab.fake_node.world import FLAGS, Guest, Process, World

REAL = "/libexec/proc"
# As much as a lab needs; a genuine node has a directory for each of up to 65,534.
MOST_NODES = 512
LINKS = (
    "cmdline",
    "cpuinfo",
    "filesystems",
    "loadavg",
    "meminfo",
    "mounts",
    "net",
    "self",
    "stat",
    "sys",
    "uptime",
)
PROCESS_LINKS = (
    "cmdline",
    "cwd",
    "environ",
    "exe",
    "fd",
    "maps",
    "mounts",
    "root",
    "stat",
    "statm",
    "status",
)
TRIGGERS = ("bring", "expel")
CONSTANTS = {
    "config": "", "decayinterval": "2\n", "dfsalinks": "\n", "fastdecay": "926\n", "slowdecay": "975\n",
    "gateways": "0\n", "mfscosts": "36\t40\t14\t19\t88\t56\n", "mfskill": "", "sspeed": "15000\n",
    "overheads": "81\t150\t39\t38\t0\t11\t0\t18\t0\t18\t0\t12\t8141\t351\n",
    "version": "openMosix Version 1.8.1\nDFSA is enabled\nSimple network topology\nfake openMosix node\n",
}  # fmt: skip
VERSION = "Linux version 2.4.26-om (fake openMosix node) #2 SMP\n"


@dataclass
class Proc:
    """The directory that a node sees as /proc."""

    top: Path
    _written: dict[Path, str] = field(default_factory=dict)
    _seen: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def make(self) -> None:
        """Lay out what does not depend on processes and peers."""
        for name in ("admin", "decay", "info", "nodes", "remote"):
            (self.top / "hpc" / name).mkdir(parents=True, mode=0o555)
        for name in LINKS:
            (self.top / name).symlink_to(f"{REAL}/{name}")
        self.put(self.top / "version", VERSION)
        for name, text in CONSTANTS.items():
            self.put(self.top / "hpc/admin" / name, text)
        for name in TRIGGERS:
            self.put(self.top / "hpc/admin" / name, "", 0o200)

    def put(self, path: Path, text: str, mode: int = 0o644) -> None:
        """Write a file, unless it holds the text already."""
        if self._written.get(path) == text:
            return
        path.write_text(text, encoding="ascii", errors="replace")
        if path not in self._written:
            path.chmod(mode)
        self._written[path] = text
        self._seen[path] = _stamp(path)

    def taken(self, path: Path) -> str | None:
        """Return what somebody on the node has written into a file since `put`, once."""
        try:
            if _stamp(path) == self._seen.get(path):
                return None
            text = path.read_text(encoding="ascii", errors="replace").strip()
            self._seen[path] = _stamp(path)
        except FileNotFoundError:
            return None
        self._written.pop(path, None)
        return text

    def show_node(self, world: World, now: float) -> None:
        """Write the own number, the flags and what is known of every configured node."""
        admin = self.top / "hpc/admin"
        self.put(admin / "mospe", f"{world.own}\n")
        self.put(admin / "speed", f"{world.figures.speed}\n")
        for flag in FLAGS:
            self.put(admin / flag, f"{int(flag in world.flags)}\n")
        numbers = [number for number, _ in zip(world.table.numbers(), range(MOST_NODES), strict=False)]
        shown = {str(number) for number in numbers} if world.own else set()
        for stale in {path.name for path in (self.top / "hpc/nodes").iterdir()} - shown:
            self._forget(self.top / "hpc/nodes" / stale)
        for number in numbers if world.own else ():
            self._show_peer(world, number, now)

    def _show_peer(self, world: World, number: int, now: float) -> None:
        directory = self.top / "hpc/nodes" / str(number)
        directory.mkdir(exist_ok=True)
        is_up = world.is_up(number, now)
        figures = world.figures if number == world.own else None
        if figures is None and is_up:
            figures = world.peers[number].figures
        for name in ("cpus", "load", "mem", "rmem", "speed", "tmem", "util"):
            value = getattr(figures, name) if figures else -101
            self.put(directory / name, f"{value}\n", 0o444)
        self.put(directory / "status", f"{world.flags_of(number, now)}\n", 0o444)

    def show_process(self, process: Process) -> None:
        """Write openMosix's files of one process."""
        directory = self.top / str(process.pid)
        if not directory.exists():
            directory.mkdir()
            for name in PROCESS_LINKS:
                (directory / name).symlink_to(f"{REAL}/{process.pid}/{name}")
            self.put(directory / "cantmove", "" if process.is_movable else "system\n", 0o444)
            self.put(directory / "stay", "0\n")
            for name in ("goto", "migrate"):
                self.put(directory / name, "", 0o222)
        self.put(directory / "where", f"{process.where}\n", 0o444)
        self.put(directory / "nmigs", f"{process.nmigs}\n", 0o444)
        self.put(directory / "lock", f"{int(process.is_locked)}\n")

    def show_guest(self, guest: Guest) -> None:
        """Write the files of a process of another node."""
        directory = self.top / "hpc/remote" / str(guest.number)
        directory.mkdir(exist_ok=True)
        identity = f"pid={guest.home_pid}\nuid=0\ngid=0\nnmigs={guest.nmigs}\ncommand={guest.command}\n"
        self.put(directory / "from", f"{guest.home}     {guest.home_address}\n", 0o444)
        self.put(directory / "identity", identity, 0o444)
        if directory / "goto" not in self._written:
            self.put(directory / "goto", "", 0o222)

    def forget_process(self, pid: int) -> None:
        """Remove the files of a process that ended."""
        self._forget(self.top / str(pid))

    def forget_guest(self, number: int) -> None:
        """Remove the files of a guest that left."""
        self._forget(self.top / "hpc/remote" / str(number))

    def _forget(self, directory: Path) -> None:
        shutil.rmtree(directory, ignore_errors=True)
        for known in (self._written, self._seen):
            for path in [path for path in known if path.parent == directory]:
                del known[path]


@dataclass(frozen=True)
class Sample:
    """One process as the real /proc shows it."""

    pid: int
    command: str
    parent: int
    wants_processor: bool


def samples(real: Path) -> list[Sample]:
    """Return every process of the node but the fake kernel itself."""
    found = []
    for name in os.listdir(real):  # noqa: PTH208 # ten times a second
        if name.isdigit() and name != "1":
            with contextlib.suppress(OSError, ValueError):
                head, _, rest = (real / name / "stat").read_text(errors="replace").rpartition(")")
                fields = rest.split()
                if fields[0] != "Z":
                    # A process that this kernel holds up (T) would go on computing.
                    found.append(Sample(int(name), head.partition("(")[2], int(fields[1]), fields[0] in "RT"))
    return found


def _stamp(path: Path) -> tuple[int, int]:
    info = path.stat()
    return info.st_mtime_ns, info.st_size
