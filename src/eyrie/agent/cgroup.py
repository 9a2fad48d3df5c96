# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest in a control group of its own, below the one systemd delegated to the agent (Delegate=yes).

A group with processes in it cannot hand controllers down, so the agent moves into a leaf first.
"""

from __future__ import annotations

import os
from pathlib import Path

from eyrie.agent.config import GuestConfig

OVERHEAD_MIB = 256  # QEMU's own memory: code, translation buffer, devices
PERIOD = 100000  # microseconds


class GuestGroup:
    """The leaf for the guest; `notice` says what is not enforced, if anything."""

    def __init__(self, leaf: Path | None, notice: str) -> None:
        self._leaf = leaf
        self.notice = notice

    def limit(self, guest: GuestConfig) -> None:
        """Set the guest's memory and processor limits."""
        if self._leaf is None:
            return
        limits = {
            "memory.max": str((guest.memory_mib + OVERHEAD_MIB) << 20),
            "memory.swap.max": "0",
            "cpu.max": f"{guest.cpus * guest.cpu_percent * PERIOD // 100} {PERIOD}",
            "cpu.weight": "1",
        }
        missing = []
        for name, text in limits.items():
            try:
                _write(self._leaf / name, text)
            except OSError:
                if name in ("memory.max", "cpu.max"):
                    missing.append(name)
        self.notice = f"not limited by the kernel: {', '.join(missing)}" if missing else ""

    def take(self, pid: int) -> None:
        """Move the guest's process into its leaf."""
        if self._leaf is None:
            return
        try:
            _write(self._leaf / "cgroup.procs", str(pid))
        except OSError as error:
            self.notice = f"the guest runs outside its control group ({error.strerror})"


def delegate(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> GuestGroup:
    """Move this process to the leaf `agent` and make the leaf `guest`; only where systemd made our group."""
    try:
        base = _own_group(root, own)
    except OSError as error:
        return GuestGroup(None, f"no control groups ({error.strerror})")
    if base is None or not base.name.endswith(".service") or not os.access(base / "cgroup.procs", os.W_OK):
        return GuestGroup(None, "not a delegated systemd service: no limits by control group")
    try:
        for leaf in ("agent", "guest"):
            (base / leaf).mkdir(exist_ok=True)
        _write(base / "agent" / "cgroup.procs", str(os.getpid()))
        offered = (base / "cgroup.controllers").read_text().split()
        for controller in {"memory", "cpu"} & set(offered):
            _write(base / "cgroup.subtree_control", f"+{controller}")
    except OSError as error:
        return GuestGroup(None, f"the control group {base} cannot be used ({error.strerror})")
    return GuestGroup(base / "guest", "")


def _own_group(root: Path, own: Path) -> Path | None:
    """Return this process's directory in the unified hierarchy; the service itself if already in its leaf."""
    for line in own.read_text().splitlines():
        if line.startswith("0::/"):
            path = root / line[4:]
            return path.parent if path.name == "agent" else path
    return None


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
