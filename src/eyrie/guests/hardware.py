# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine a guest sees: QEMU's options that are the same on every kind of desktop. Pure."""

from __future__ import annotations

from eyrie.guests.backend import GuestSpec
from eyrie.guests.channel import PORT_NAME

TRANSLATION_BUFFER_MIB = 64  # QEMU's default lets a small guest grow past 1 GiB
TCG = f"tcg,thread=multi,tb-size={TRANSLATION_BUFFER_MIB}"
BOARD = "q35,usb=off,smbus=off,sata=off,vmport=off"
CONSOLE = "console"  # the ring buffer's name on QMP
_KERNEL = "console=ttyS0 quiet panic=-1 ipv6.disable=1 cryptomgr.notests"
# Under TCG the kernel's checks of clock and timer cost a second, and find what an emulator makes them find.
_KERNEL_UNDER_TCG = " tsc=reliable no_timer_check"


def base(spec: GuestSpec) -> list[str]:
    """Return the options that take away what QEMU would add by itself."""
    return ["-name", spec.name, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]


def machine(spec: GuestSpec, accel: str, cpu: str, board: str = BOARD) -> list[str]:
    """Return the board, its processors and its memory."""
    return [
        *["-machine", board],
        *["-accel", accel, "-cpu", cpu],
        *["-m", str(spec.memory_mib), "-smp", str(spec.cpus)],
    ]


def image(spec: GuestSpec, accelerator: str) -> list[str]:
    """Return kernel, initramfs and the disk nobody can write to."""
    drive = f"if=none,id=root,file={quote(spec.image)}/root.squashfs,format=raw,readonly=on"
    kernel = _KERNEL + (_KERNEL_UNDER_TCG if accelerator == "tcg" else "")
    return [
        *["-kernel", f"{spec.image}/vmlinuz", "-initrd", f"{spec.image}/initramfs.cpio.zst"],
        *["-append", kernel, "-drive", drive, "-device", "virtio-blk-pci,drive=root"],
    ]


def devices(spec: GuestSpec, channel: str, qmp: str, token: str, hub: str = "") -> list[str]:
    """Return networks, channel, monitor and configuration; the token is named by its file, never shown.

    `channel`, `qmp` and `hub` are the options of the sockets that lead to the agent.
    """
    return [
        *["-netdev", "user,id=net0,ipv6=off", "-device", "virtio-net-pci,netdev=net0,romfile="],
        *_hub(spec, hub),
        *["-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,{channel}"],
        *["-device", f"virtserialport,chardev=agent,name={PORT_NAME}"],
        # Bounded, however much the guest prints; read over QMP when something is wrong.
        *["-chardev", f"ringbuf,id={CONSOLE},size=65536", "-serial", f"chardev:{CONSOLE}"],
        *["-chardev", f"socket,id=qmp,{qmp}", "-mon", "chardev=qmp,mode=control"],
        *["-fw_cfg", f"name=opt/org.eyrie/config,file={quote(spec.run_dir)}/config"],
        *["-fw_cfg", f"name=opt/org.eyrie/token,file={quote(token)}"],
    ]


def _hub(spec: GuestSpec, socket: str) -> list[str]:
    """Return the second network device, which the guest knows by its place behind the first."""
    if spec.hub is None:
        return []
    device = f"virtio-net-pci,netdev=hub,mac={spec.hub.mac},romfile="
    return ["-netdev", f"stream,id=hub,server=off,{socket}", "-device", device]


def emulated_cpu(version: tuple[int, int]) -> str:
    """Return the CPU to show under TCG: QEMU < 10 miscompiles cmpxchg16b and crashes Linux 6.12 at random."""
    return "max" if version >= (10, 0) else "max,-cx16"


def quote(path: str) -> str:
    """Double the commas, which part options."""
    return path.replace(",", ",,")
