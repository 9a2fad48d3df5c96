# SPDX-License-Identifier: GPL-3.0-or-later
"""Cap the guest's CPU use with cgroup2, inside the group that systemd delegates to the agent's service."""

from __future__ import annotations

from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
_PERIOD_MICROSECONDS = 100_000
_AGENT, _GUEST = "agent", "guest"


def cap_cpu(pid: int, percent: int, cpus: int, root: Path = CGROUPS, own: str = "") -> str:
    """Limit process `pid` to `percent` of `cpus` processors; return why it cannot be, or the empty string.

    `own` is the caller's own group, by default as /proc tells.
    """
    if percent >= 100:
        return ""
    try:
        return _confine(pid, percent * cpus, _delegated(root, own or own_group()))
    except OSError as error:
        return f"the guest's CPU cap of {percent} % is not enforced: {error}"


def own_group() -> str:
    """Return the caller's group in the cgroup2 hierarchy; `/` when there is none."""
    lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    return next((line[len("0::") :] for line in lines if line.startswith("0::")), "/")


def _delegated(root: Path, own: str) -> Path:
    """Return the folder of the service's group, of which the agent may already be in a part of its own."""
    folder = root / own.lstrip("/")
    return folder.parent if folder.name == _AGENT else folder


def _confine(pid: int, percent: int, group: Path) -> str:
    controllers = (group / "cgroup.controllers").read_text(encoding="ascii").split()
    if "cpu" not in controllers:
        return f"the guest's CPU cap is not enforced: {group} has no cpu controller"
    for name in (_AGENT, _GUEST):
        (group / name).mkdir(exist_ok=True)
    _write(group / _GUEST / "cgroup.procs", str(pid))
    # A group that hands controllers on may not hold processes itself.
    for other in (group / "cgroup.procs").read_text(encoding="ascii").split():
        if other != str(pid):
            _write(group / _AGENT / "cgroup.procs", other)
    _write(group / "cgroup.subtree_control", "+cpu")
    quota = percent * _PERIOD_MICROSECONDS // 100
    _write(group / _GUEST / "cpu.max", f"{quota} {_PERIOD_MICROSECONDS}")
    return ""


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="ascii")
