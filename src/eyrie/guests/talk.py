# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's two conversations with a running QEMU, channel and monitor, on every kind of desktop."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod

from eyrie.guests.backend import GuestError, Message
from eyrie.guests.cable import Cable
from eyrie.guests.channel import LineParser, vacate_line
from eyrie.guests.hardware import CONSOLE
from eyrie.guests.qmp import QmpClient

PAUSE_SECONDS = 0.8


class TalkingGuest(ABC):
    """What a guest can be told and asked; how its process lives and ends is for the subclass."""

    def __init__(self, channel: socket.socket, qmp: QmpClient, cable: Cable | None = None) -> None:
        self._channel = channel
        self._channel.setblocking(False)
        self._qmp = qmp
        self._cable = cable
        self._parser = LineParser()

    def wait_for_qemu(self, timeout: float) -> None:
        """Complete the QMP handshake, or say what QEMU complained of."""
        try:
            self._qmp.handshake(timeout)
        except GuestError as error:
            self.kill()
            raise not_started(self.last_words() or str(error)) from error

    def console(self) -> str:
        """Return what the guest printed on its console since the last call, its last 64 KiB at most."""
        return str(self._qmp.execute("ringbuf-read", PAUSE_SECONDS, device=CONSOLE, size=65536))

    def fileno(self) -> int:
        """Return the channel's descriptor."""
        return self._channel.fileno()

    def messages(self) -> list[Message]:
        """Return what the guest has said; never blocks, and reads a bounded amount at a time."""
        news = self._cable.news() if self._cable else []
        try:
            return news + self._parser.feed(self._channel.recv(65536))
        except (BlockingIOError, ConnectionError):  # QEMU is gone: exit_status() tells
            return news

    def pause(self) -> None:
        """Stop the virtual CPUs."""
        self._qmp.execute("stop", PAUSE_SECONDS)

    def resume(self) -> None:
        """Let the virtual CPUs run again."""
        self._qmp.execute("cont", PAUSE_SECONDS)

    def vacate(self, seconds: int) -> None:
        """Ask the guest to hand its jobs back; a guest that does not read is killed later anyway."""
        try:
            self._channel.send(vacate_line(seconds))
        except (BlockingIOError, ConnectionError):
            return

    def released(self) -> str:
        """Return nothing: the guest's memory was QEMU's own, which has ended."""
        return ""

    def hang_up(self) -> None:
        """Close both conversations, and pull out the cable."""
        if self._cable:
            self._cable.unplug()
        self._channel.close()
        self._qmp.close()

    @abstractmethod
    def kill(self) -> None:
        """End QEMU at once and reap it."""

    @abstractmethod
    def last_words(self) -> str:
        """Return the last lines QEMU wrote to its standard error."""


def not_started(seen: str) -> GuestError:
    """Return the error of a QEMU that ended or fell silent before its guest ran."""
    return GuestError(
        "QEMU did not start",
        seen=seen,
        wanted="a running guest",
        next_step="put right what QEMU names; the agent tries again by itself",
    )
