# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of kind vm: QEMU on an overlay disk, with its tap in the host's own namespace."""

from __future__ import annotations

from pathlib import Path

from eyrie.lab import seed, vm_image
from eyrie.lab.commands import run
from eyrie.lab.model import Host
from eyrie.lab.network_plan import TAP
from eyrie.lab.paths import Paths

# Each unit that starts takes emulation a third of a second. These serve a screen, firmware, FUSE, kernel
# developers or foreign programs.
_UNNEEDED = (
    *("dev-hugepages.mount", "dev-mqueue.mount", "sys-fs-fuse-connections.mount"),
    *("sys-kernel-config.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount"),
    *(f"modprobe@{name}.service" for name in ("configfs", "dm_mod", "drm", "efi_pstore", "fuse", "loop")),
    *("systemd-binfmt.service", "systemd-pstore.service", "systemd-udev-load-credentials.service"),
    *("getty@tty1.service", "serial-getty@ttyS0.service"),
)
_KERNEL = (
    "console=ttyS0 quiet panic=-1 net.ifnames=0",
    "systemd.condition_needs_update=0",  # an image of ours is up to date
    *(f"systemd.mask={unit}" for unit in _UNNEEDED),
)


def command(paths: Paths, host: Host, image: Path) -> list[str]:
    """Return the QEMU command.

    cx16 is off because QEMU 7.2's TCG crashes Linux 6.12 at `cmpxchg16b`; -no-reboot and panic=-1 turn a
    crash of the guest into an end of the process; without tb-size the translation buffer takes a gigabyte.
    """
    base = paths.host(host.name)
    return [
        "qemu-system-x86_64",
        *("-name", host.name, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-machine", "q35", "-accel", "tcg,thread=multi,tb-size=128", "-cpu", "max,-cx16"),
        *("-smp", str(host.cpus), "-m", str(host.memory_mib)),
        *("-kernel", str(image / vm_image.KERNEL), "-initrd", str(image / vm_image.INITRAMFS)),
        *("-append", " ".join(_KERNEL)),
        *("-drive", f"file={base / 'disk.qcow2'},if=virtio,format=qcow2,cache=unsafe"),
        *("-drive", f"file={base / 'seed.tar'},if=virtio,format=raw,readonly=on"),
        *("-netdev", f"tap,id=lan,ifname={TAP},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=lan,mac={host.mac}"),
        *("-device", "virtio-rng-pci", "-serial", "stdio", "-monitor", "none"),
    ]


def prepare(paths: Paths, host: Host, image: Path, files: tuple[seed.SeedFile, ...]) -> None:
    """Make the host's own disk, if it has none, and write what makes it this host."""
    base = paths.host(host.name)
    disk = base / "disk.qcow2"
    if not disk.exists():
        temporary = base / "disk.new"
        run(
            [
                "qemu-img",
                "create",
                "-q",
                "-f",
                "qcow2",
                "-F",
                "qcow2",
                "-b",
                str(image / vm_image.DISK),
                str(temporary),
            ]
        )
        temporary.rename(disk)
    (base / "seed.tar").write_bytes(seed.archive(files))
