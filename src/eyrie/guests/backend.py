# SPDX-License-Identifier: GPL-3.0-or-later
"""What every guest backend offers the agent: start a guest, hear it, hold it still, end it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Protocol

from eyrie.errors import EyrieError


class GuestError(EyrieError):
    """The guest could not be started, or no longer answers."""


@dataclass(frozen=True)
class HubSpec:
    """The pool's Ethernet: where its hub is, what proves desktop and hub to each other, the guest's MAC."""

    address: str
    port: int
    ca: str
    certificate: str
    key: str
    mac: str


@dataclass(frozen=True)
class ColinuxSpec:
    """The one guest of coLinux on a desktop, as role colinux installed it."""

    folder: str
    service: str
    network: str  # a key of colinux_names.HELPERS
    answer: tuple[str, int] | None = None  # address and port at which it must answer; none: it is not asked


@dataclass(frozen=True)
class GuestSpec:
    """One guest to start; nothing in it is secret (the token is named by its path)."""

    name: str
    image: str  # directory of vmlinuz, initramfs.cpio.zst, root.squashfs and manifest.json
    image_id: str
    memory_mib: int
    cpus: int
    cpu_percent: int
    user: str  # unprivileged account the backend's process runs as
    accel: str  # auto, kvm or tcg
    token: str  # path of the engine's token
    run_dir: str  # private directory of sockets, made and removed by the backend
    config: Mapping[str, str] = field(default_factory=dict)  # what the guest reads at boot, KEY=VALUE
    hub: HubSpec | None = None  # a second network device, for guests that must reach one another
    colinux: ColinuxSpec | None = None  # of that backend alone, to which little of the above means anything


@dataclass(frozen=True)
class Message:
    """One line from the guest, parsed."""

    # hello, state, refused, jobs or invalid; of the desktop's own end: hub (the cable), lost (the backend)
    kind: str
    words: tuple[str, ...]


class Guest(Protocol):
    """A started guest. No method but `pause`, `resume`, `kill` and `released` waits for anything."""

    pid: int
    accelerator: str  # kvm, tcg, whpx or colinux

    def fileno(self) -> int:
        """Return the channel's descriptor: readable when messages are waiting."""

    def messages(self) -> list[Message]:
        """Return what the guest has said since the last call."""

    def pause(self) -> None:
        """Stop the virtual CPUs; raises GuestError when they have not stopped in time (then kill)."""

    def resume(self) -> None:
        """Let the virtual CPUs run again."""

    def vacate(self, seconds: int) -> None:
        """Ask the guest to hand its jobs back within `seconds` and power off."""

    def kill(self) -> None:
        """End the guest at once and reap it; does nothing to a dead one."""

    def exit_status(self) -> int | None:
        """Return None while it runs, else its exit status (reaping it)."""

    def cpu_seconds(self) -> float:
        """Return the user and system time the guest has used on this desktop."""

    def released(self) -> str:
        """Return, of a dead one, whether its memory is the desktop's again; empty where its end says so."""

    def close(self) -> None:
        """Remove sockets and files of the guest from `run_dir`."""


class Backend(Protocol):
    """One way of running a guest."""

    def start(self, spec: GuestSpec) -> Guest:
        """Start the guest; raises GuestError."""
