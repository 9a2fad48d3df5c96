# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent in a process of its own for test_agent_guest.py: real loop, real QEMU, real sources.

The guest's kernel only spins, so its words ("the engine took me") are PLAYED; everything done to it is real.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from eyrie.agent.cgroup import GuestGroup
from eyrie.agent.config import IdleConfig
from eyrie.agent.driver import Driver
from eyrie.agent.idle.input_devices import InputDevices
from eyrie.agent.idle.monitor import Monitor
from eyrie.agent.idle.terminal import Terminal
from eyrie.agent.lock import Lock
from eyrie.agent.service import Paths, Service
from eyrie.guests.backend import GuestSpec, Message
from eyrie.guests.qemu import QemuBackend, QemuGuest


class Talking(QemuBackend):
    """Real QEMU, whose guest says at once that it joined."""

    def start(self, spec: GuestSpec) -> QemuGuest:
        guest = super().start(spec)
        words, hear = [Message("state", ("joined",))], guest.messages

        def messages() -> list[Message]:
            played = words[:]
            words.clear()
            return played + hear()

        guest.messages = messages  # type: ignore[method-assign]
        return guest


def main(root: Path) -> None:
    """Run the agent on the desktop that `root` describes."""

    def watch(config: IdleConfig, now: float, _guest_cpu: Callable[[], float]) -> Monitor:
        if "terminal" in config.sources:
            return Monitor([Terminal(now, dev=str(root / "dev"))])
        return Monitor([InputDevices(now, str(root / "input"), str(root / "class"))])

    backend = Talking()
    lock = Lock(root / "run" / "agent.lock")
    driver = Driver(lambda _name: backend, root / "run", GuestGroup(None, ""))
    Service(Paths(root / "agent.json", root / "state", root / "run"), driver, watch).run()
    lock.release()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
