# SPDX-License-Identifier: GPL-3.0-or-later
"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from eyrie.apt_mirror import debian_mirror
from eyrie.guests.accel import probe
from eyrie.guests.image.build import build_image
from eyrie.guests.image.recipe import Recipe


@dataclass(frozen=True)
class Machine:
    """A machine in the words a reader compares with the own one."""

    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    accelerator: str  # what works on the machine itself
    system: str
    guests: str = ""  # what the measured guests ran with, which need not be the same

    def sentence(self) -> str:
        kvm = "KVM works" if self.accelerator == "kvm" else "no working KVM"
        kvm += f"; the guests ran with {self.guests}" if self.guests else ""
        size = f"{self.cores} cores, {self.memory_gib:.0f} GiB"
        return f"{self.cpu}, {size}, {self.system}, Linux {self.kernel}, {kvm}"


def this_machine(guests: str) -> Machine:
    """Describe the machine we run on."""
    return Machine(
        cpu=_first(r"model name\s*:\s*(.+)", "/proc/cpuinfo") or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=int(_first(r"MemTotal:\s*(\d+)", "/proc/meminfo") or 0) / 2**20,
        kernel=platform.release(),
        accelerator=probe(str(build_image(Recipe(), debian_mirror).directory)).name,
        system=(_first(r'PRETTY_NAME="?([^"\n]+)', "/etc/os-release") or "unknown system")
        + f" ({_debian_version()})",
        guests=guests,
    )


def _first(pattern: str, path: str) -> str | None:
    match = re.search(pattern, Path(path).read_text())
    return match[1].strip() if match else None


def _debian_version() -> str:
    path = Path("/etc/debian_version")
    return path.read_text().strip() if path.exists() else "not Debian"
