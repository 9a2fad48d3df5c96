# SPDX-License-Identifier: GPL-3.0-or-later
"""The same facts of a Linux desktop."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from eyrie.agent.converge.facts import Facts

SOCKET = Path("/run/eyrie/agent.sock")


class Linux:
    """Reads /proc."""

    def about(self) -> Facts:
        """Return what this desktop is."""
        flags = _flags()
        return {
            "windows": None,
            "architecture": {"x86_64": "AMD64", "i686": "x86", "aarch64": "ARM64"}.get(
                os.uname().machine, os.uname().machine
            ),
            "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
            "processors": os.cpu_count() or 1,
            "virtualisation": {
                "hypervisor": "hypervisor" in flags,
                "firmware": bool(flags & {"vmx", "svm"}),
                "whpx": "absent",
            },
            "pae": "pae" in flags,
            "dep": "nx" in flags,
        }

    def sessions(self) -> list[dict[str, Any]]:
        """Return none: on Linux the agent's own sources know."""
        return []

    def boot_id(self) -> str:
        """Return the kernel's."""
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def reboot_pending(self) -> bool:
        """Return whether Debian's mark is there."""
        return Path("/run/reboot-required").exists()

    def agent_state(self) -> str:
        """Ask the agent."""
        from eyrie.agent.control import ask
        from eyrie.errors import EyrieError

        try:
            return str(ask(SOCKET, "status")["state"])
        except EyrieError:
            return "absent"


def _flags() -> set[str]:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("flags"):
            return set(line.partition(":")[2].split())
    return set()
