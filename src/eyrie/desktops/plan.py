# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with a desktop, given what was seen of it; pure."""

from __future__ import annotations

import re
from enum import Enum

from eyrie.agent.converge.plan import FITS
from eyrie.desktops.model import DesktopOutcome, Package, Seen

WINDOWS = ("6.1", "6.2", "6.3", "10.0")
"""Windows 7 to 11, by the numbers that Windows itself tells."""


class Step(Enum):
    """The one thing to do next about the agent's package."""

    KEEP = "keep"
    INSTALL = "install"
    UPGRADE = "upgrade"


def plan(seen: Seen, package: Package, *, tidy: bool = True) -> Step:
    """Return the step; raises a named outcome where there is none.

    With `tidy` a release that a lost power left beside the wanted one is a reason to install that again.
    """
    _refuse_strange(seen, package.backend)
    if not package.source:
        if seen.version:
            return Step.KEEP
        raise DesktopOutcome(
            "agent not installed",
            "agent of this desktop",
            seen="none",
            wanted="the MSI, pushed by GPO, Intune or by hand",
            next_step="push it, see docs/msi.md, or set windows_agent_msi_source",
        )
    if FITS[package.backend].bits != 64:
        raise DesktopOutcome(
            "no MSI for this desktop",
            "windows_agent_msi_source",
            seen=package.source,
            wanted="none: the MSI is of 64 bits, and this desktop of 32",
            next_step="put an agent of 32 bits there by hand (docs/colinux.md), and set it to none",
        )
    if not seen.version:
        return Step.INSTALL
    here, wanted = _numbers(seen.version), _numbers(package.version)
    if here > wanted:
        raise DesktopOutcome(
            "a newer version is installed",
            "agent of this desktop",
            seen=seen.version,
            wanted=f"{package.version} or older",
            next_step="update the control host, or remove the agent first (playbooks/remove.yml)",
        )
    left = tidy and bool(package.release) and bool(set(seen.releases) - {package.release})
    if here < wanted or _other_build(seen, package) or not seen.service or left:
        return Step.UPGRADE
    return Step.KEEP


def _other_build(seen: Seen, package: Package) -> bool:
    """Two builds of one version are two agents: a pool has one."""
    return bool(package.product_code and seen.products) and package.product_code.upper() not in seen.products


def _refuse_strange(seen: Seen, backend: str) -> None:
    """Refuse a Windows that no agent runs on, or a processor that the backend is not for."""
    fit = FITS[backend]
    version = ".".join(seen.windows.split(".")[:2])
    if version not in (*WINDOWS, *fit.versions):
        hours = ": role colinux_hours runs its guest without an agent" if version.startswith("5.") else ""
        raise DesktopOutcome(
            "unknown Windows version",
            "Windows of this desktop",
            seen=seen.windows or "nothing that `ver` says",
            wanted="Windows 7, 8, 8.1, 10 or 11",
            next_step=f"take it out of windows_agent{hours}",
        )
    if seen.architecture != fit.architecture.upper():
        others = [
            name
            for name, each in FITS.items()
            if (each.architecture.upper(), True) == (seen.architecture, version in each.versions)
        ]
        ways = [f"set windows_agent_guest_backend: {each} (docs/colinux.md)" for each in others]
        raise DesktopOutcome(
            f"not a {fit.bits}-bit desktop",
            "processor architecture of this desktop",
            seen=seen.architecture,
            wanted=f"{fit.architecture} for the backend {backend}",
            next_step=", or ".join([*ways, "take it out of windows_agent"]),
        )


def _numbers(version: str) -> tuple[int, ...]:
    """Windows Installer compares three numbers."""
    found = [int(number) for number in re.findall(r"\d+", version)[:3]]
    return tuple(found + [0] * (3 - len(found)))
