# SPDX-License-Identifier: GPL-3.0-or-later
"""A control group for every process of a lab: containers need one each, and whole groups can be ended at once."""

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


def systemd_is_manager() -> bool:
    """Whether systemd is PID 1 here: then every group belongs to it and is asked for with systemd-run."""
    return SYSTEMD_RUNS.is_dir()


def end(group: Path, timeout: float = 10) -> None:
    """End every process in the group and below it, then remove the group."""
    if not group.is_dir():
        return
    (group / "cgroup.kill").write_text("1", encoding="ascii")
    deadline = time.monotonic() + timeout
    while "populated 1" in (group / "cgroup.events").read_text(encoding="ascii"):
        if time.monotonic() > deadline:
            raise EyrieError(
                f"control group {group}", seen="processes that do not end", wanted="an empty group"
            )
        time.sleep(0.02)
    for path, _, _ in os.walk(group, topdown=False):
        Path(path).rmdir()


def remove_top(lab: str) -> None:
    """Remove the directory above all labs, if this was the last one."""
    top = directory(lab).parent
    if top.is_dir() and not any(path.is_dir() for path in top.iterdir()):
        top.rmdir()
