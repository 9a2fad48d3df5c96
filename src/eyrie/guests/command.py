# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of a QEMU guest: a pure function of what is wanted and of what this QEMU can do."""

from __future__ import annotations

from dataclasses import dataclass

from eyrie.guests.backend import GuestSpec
from eyrie.guests.channel import PORT_NAME

TRANSLATION_BUFFER_MIB = 64  # QEMU's default lets a small guest grow past 1 GiB
_SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
_KERNEL = "console=ttyS0 quiet panic=-1 ipv6.disable=1 cryptomgr.notests"
# Under TCG the kernel's checks of clock and timer cost a second, and find what an emulator makes them find.
_KERNEL_UNDER_TCG = " tsc=reliable no_timer_check"


@dataclass(frozen=True)
class Account:
    """The unprivileged user and group that QEMU runs as, and the groups that let it use KVM."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


def qemu_command(
    spec: GuestSpec,
    accelerator: str,
    version: tuple[int, int],
    *,
    account: Account | None,
    channel_fd: int,
    qmp_fd: int,
    qemu: str,
) -> list[str]:
    """Return the whole command, from the scheduling class down to the last device."""
    return [
        *idle_class(),
        *unprivileged(account),
        qemu,
        *["-name", spec.name, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
        *["-sandbox", _SANDBOX],
        *_machine(spec, accelerator, version),
        *_image(spec, accelerator),
        *_devices(spec, channel_fd, qmp_fd),
    ]


def idle_class() -> list[str]:
    """Run only on time nobody else wants."""
    return ["nice", "-n", "19", "chrt", "--idle", "0"]


def unprivileged(account: Account | None) -> list[str]:
    """Give up everything, for good, and die with the parent; no account means: stay the caller."""
    drop: list[str] = []
    if account:  # only root can change identity or shrink the bounding set
        groups = ["--groups", ",".join(map(str, account.groups))] if account.groups else ["--clear-groups"]
        drop = ["--reuid", str(account.uid), "--regid", str(account.gid), *groups]
        drop += ["--inh-caps=-all", "--bounding-set=-all"]
    return ["setpriv", *drop, "--no-new-privs", "--pdeathsig", "KILL"]


def cpu_model(accelerator: str, version: tuple[int, int]) -> str:
    """Return the CPU to show; QEMU < 10 miscompiles cmpxchg16b under TCG and crashes Linux 6.12 at random."""
    if accelerator == "kvm":
        return "host"
    return "max" if version >= (10, 0) else "max,-cx16"


def _machine(spec: GuestSpec, accelerator: str, version: tuple[int, int]) -> list[str]:
    accel = f"tcg,thread=multi,tb-size={TRANSLATION_BUFFER_MIB}" if accelerator == "tcg" else accelerator
    return [
        *["-machine", "q35,usb=off,smbus=off,sata=off,vmport=off,dump-guest-core=off"],
        *["-accel", accel, "-cpu", cpu_model(accelerator, version)],
        *["-m", str(spec.memory_mib), "-smp", str(spec.cpus)],
    ]


def _image(spec: GuestSpec, accelerator: str) -> list[str]:
    drive = f"if=none,id=root,file={_quote(spec.image)}/root.squashfs,format=raw,readonly=on"
    kernel = _KERNEL + (_KERNEL_UNDER_TCG if accelerator == "tcg" else "")
    return [
        *["-kernel", f"{spec.image}/vmlinuz", "-initrd", f"{spec.image}/initramfs.cpio.zst"],
        *["-append", kernel, "-drive", drive, "-device", "virtio-blk-pci,drive=root"],
    ]


def _devices(spec: GuestSpec, channel_fd: int, qmp_fd: int) -> list[str]:
    """Return network, channel, monitor and configuration; the token is named by its file, never shown."""
    return [
        *["-netdev", "user,id=net0,ipv6=off", "-device", "virtio-net-pci,netdev=net0,romfile="],
        *["-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,fd={channel_fd}"],
        *["-device", f"virtserialport,chardev=agent,name={PORT_NAME}"],
        # Bounded, however much the guest prints; read over QMP when something is wrong.
        *["-chardev", "ringbuf,id=console,size=65536", "-serial", "chardev:console"],
        *["-chardev", f"socket,id=qmp,fd={qmp_fd}", "-mon", "chardev=qmp,mode=control"],
        *["-fw_cfg", f"name=opt/org.eyrie/config,file={_quote(spec.run_dir)}/config"],
        *["-fw_cfg", f"name=opt/org.eyrie/token,file={_quote(spec.token)}"],
    ]


def _quote(path: str) -> str:
    """Double the commas, which part options."""
    return path.replace(",", ",,")
