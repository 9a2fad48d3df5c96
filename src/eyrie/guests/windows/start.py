# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the guest backend of a Windows desktop together."""

from __future__ import annotations

from pathlib import Path

from eyrie.guests.windows.accel import Memory
from eyrie.guests.windows.firewall_system import fence
from eyrie.guests.windows.job import GuestJob
from eyrie.guests.windows.qemu import WindowsQemuBackend

REMEMBERED = "accelerator.json"


def backend(program: str, state: Path, job: GuestJob) -> WindowsQemuBackend:
    """Return the backend that runs guests with `program`, the path of QEMU, in `job`."""
    return WindowsQemuBackend(program, fence, job, Memory(state / REMEMBERED))
