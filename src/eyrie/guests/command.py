# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of a QEMU guest on Linux: pure, from what is wanted and what this QEMU can do."""

from __future__ import annotations

from dataclasses import dataclass

from eyrie.guests import hardware
from eyrie.guests.backend import GuestSpec

_BOARD = f"{hardware.BOARD},dump-guest-core=off"  # what Windows does not know
_SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"


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
    hub_fd: int = -1,
    qemu: str,
) -> list[str]:
    """Return the whole command, from the scheduling class down to the last device."""
    accel = hardware.TCG if accelerator == "tcg" else accelerator
    return [
        *idle_class(),
        *unprivileged(account),
        qemu,
        *hardware.base(spec),
        *["-sandbox", _SANDBOX],
        *hardware.machine(spec, accel, cpu_model(accelerator, version), _BOARD),
        *hardware.image(spec, accelerator),
        *hardware.devices(
            spec, f"fd={channel_fd}", f"fd={qmp_fd}", spec.token, f"addr.type=fd,addr.str={hub_fd}"
        ),
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
    """Return the CPU to show."""
    return "host" if accelerator == "kvm" else hardware.emulated_cpu(version)
