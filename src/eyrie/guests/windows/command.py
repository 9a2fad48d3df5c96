# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of a QEMU guest on Windows: pure, from what is wanted and what this QEMU can do."""

from __future__ import annotations

from dataclasses import dataclass

from eyrie.guests import hardware
from eyrie.guests.backend import GuestSpec

# WHPX stops with `Unexpected VP exit code 4` under max and host; its own interrupt controller loses
# interrupts of some builds (`injection failed, MSI (0, 0)`).
_WHPX = "whpx,kernel-irqchip=off"
_WHPX_CPU = "Nehalem"


@dataclass(frozen=True)
class Ports:
    """Where on the loopback the agent waits for this QEMU."""

    channel: int
    qmp: int
    hub: int = 0


def qemu_command(
    qemu: str,
    spec: GuestSpec,
    accelerator: str,
    version: tuple[int, int],
    ports: Ports,
    *,
    firmware: str,
) -> list[str]:
    """Return the whole command; the run directory holds the copy of the token this QEMU may read."""
    accel = hardware.TCG if accelerator == "tcg" else _WHPX
    cpu = hardware.emulated_cpu(version) if accelerator == "tcg" else _WHPX_CPU
    return [
        qemu,
        *["-L", firmware],
        *hardware.base(spec),
        *hardware.machine(spec, accel, cpu),
        *hardware.image(spec, accelerator),
        *hardware.devices(
            spec,
            _client(ports.channel),
            _client(ports.qmp),
            f"{spec.run_dir}/token",
            f"addr.type=inet,addr.host=127.0.0.1,addr.port={ports.hub}",
        ),
    ]


def question(command: list[str], asked: str) -> list[str]:
    """Return the command with a word more for the kernel, and a QEMU that stays when the guest powers off."""
    at = command.index("-append") + 1
    return [*command[:at], f"{command[at]} {asked}", *command[at + 1 :], "-no-shutdown"]


def _client(port: int) -> str:
    return f"host=127.0.0.1,port={port},server=off,ipv4=on,ipv6=off"
