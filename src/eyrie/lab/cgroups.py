# SPDX-License-Identifier: GPL-3.0-or-later
"""A control group for every process of a lab: containers need one each, and a group can be ended at once."""

from __future__ import annotations

import os
import time
from pathlib import Path

from eyrie.errors import EyrieError

TOP = "eyrie-lab"
SYSTEMD_RUNS = Path("/run/systemd/system")


def mount_point(mounts: str) -> Path | None:
    """Return where the unified hierarchy is mounted, from the text of /proc/mounts."""
    for line in mounts.splitlines():
        words = line.split()
        if len(words) > 2 and words[2] == "cgroup2":
            return Path(words[1])
    return None


def directory(lab: str) -> Path:
    """Return the directory of a lab's groups."""
    root = mount_point(Path("/proc/mounts").read_text(encoding="utf-8"))
    if root is None:
        raise EyrieError(
            "control groups: no cgroup2 file system is mounted",
            wanted="one, usually at /sys/fs/cgroup",
            next_step="mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified",
        )
    return root / TOP / lab


def legacy_directory(lab: str) -> Path | None:
    """Return the same in version 1's `name=systemd` hierarchy: nspawn makes directories there, if it is."""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words[2] == "cgroup" and "name=systemd" in words[3].split(","):
            return Path(words[1]) / TOP / lab
    return None


def systemd_is_manager() -> bool:
    """Whether systemd is PID 1 here: then every group belongs to it and is asked for with systemd-run."""
    return SYSTEMD_RUNS.is_dir()


def end(lab: str, name: str = "", timeout: float = 10) -> None:
    """End every process of a lab, or of one of its groups, then remove the groups."""
    group = directory(lab) / name
    if group.is_dir():
        (group / "cgroup.kill").write_text("1", encoding="ascii")
        _await_empty(group, timeout)
        _remove(group)
    legacy = legacy_directory(lab)
    if legacy is not None:
        _remove(legacy / name)


def _await_empty(group: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while "populated 1" in (group / "cgroup.events").read_text(encoding="ascii"):
        if time.monotonic() > deadline:
            raise EyrieError(
                f"control group {group}", seen="processes that do not end", wanted="an empty group"
            )
        time.sleep(0.02)


def _remove(group: Path) -> None:
    """Remove a group, and the directory above all labs if this was the last one."""
    for path, _, _ in os.walk(group, topdown=False):
        Path(path).rmdir()
    top = group.parent
    if top.name == TOP and top.is_dir() and not any(path.is_dir() for path in top.iterdir()):
        top.rmdir()
