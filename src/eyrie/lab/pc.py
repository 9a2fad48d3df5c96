# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of kind pc or pc-grub-legacy: a vm that boots from its own disk, and again when it is told to."""

from __future__ import annotations

from eyrie.lab.model import Host
from eyrie.lab.network_plan import TAP
from eyrie.lab.paths import Paths


def command(paths: Paths, host: Host) -> list[str]:
    """Return the QEMU command; see vm.command for the processor and the translation buffer.

    No -no-reboot here: a panic or a `reboot` must lead back into GRUB, which is what such a host is for.
    """
    base = paths.host(host.name)
    return [
        "qemu-system-x86_64",
        *("-name", host.name, "-nodefaults", "-no-user-config", "-display", "none"),
        *("-machine", "q35", "-accel", "tcg,thread=multi,tb-size=128", "-cpu", "max,-cx16"),
        *("-smp", str(host.cpus), "-m", str(host.memory_mib)),
        *("-drive", f"file={base / 'disk.qcow2'},if=none,id=own,format=qcow2,cache=unsafe"),
        *("-device", "virtio-blk-pci,drive=own,bootindex=1"),
        *("-drive", f"file={base / 'seed.tar'},if=virtio,format=raw,readonly=on"),
        *("-netdev", f"tap,id=lan,ifname={TAP},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=lan,mac={host.mac}"),
        *("-device", "virtio-rng-pci", "-serial", "stdio", "-monitor", "none"),
    ]
