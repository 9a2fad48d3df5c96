# SPDX-License-Identifier: GPL-3.0-or-later
"""A FAKE guest backend: no virtual machine runs, the test plays the guest; a contract test keeps it true."""

from __future__ import annotations

import os
import socket

from eyrie.guests.backend import GuestError, GuestSpec, Message


class FakeGuest:
    """A guest that only remembers what was done to it."""

    accelerator = "fake"

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.calls: list[str] = []
        self.running = True
        self.closed = False
        self.status: int | None = None
        self.cpu = 0.0
        self.pause_fails = False
        self._mine, self._theirs = socket.socketpair()
        self._mine.setblocking(False)

    def say(self, line: str) -> None:
        """Speak as the guest."""
        self._theirs.sendall(line.encode() + b"\n")

    def die(self, status: int = 1) -> None:
        """End as by itself."""
        self.status = status

    def fileno(self) -> int:
        return self._mine.fileno()

    def messages(self) -> list[Message]:
        try:
            text = self._mine.recv(65536).decode()
        except BlockingIOError:
            return []
        words = [line.split() for line in text.splitlines()]
        return [Message(each[0], tuple(each[1:])) for each in words]

    def pause(self) -> None:
        self.calls.append("pause")
        if self.pause_fails:
            raise GuestError("the fake guest", seen="no answer to stop")
        self.running = False

    def resume(self) -> None:
        self.calls.append("resume")
        self.running = True

    def vacate(self, seconds: int) -> None:
        self.calls.append(f"vacate {seconds}")

    def kill(self) -> None:
        if self.status is None:
            self.calls.append("kill")
            self.status = -9

    def exit_status(self) -> int | None:
        return self.status

    def cpu_seconds(self) -> float:
        return self.cpu

    def released(self) -> str:
        return ""

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._mine.close()
            self._theirs.close()


class FakeBackend:
    """Starts fakes and keeps them for the test to play with."""

    def __init__(self) -> None:
        self.guests: list[FakeGuest] = []
        self.specs: list[GuestSpec] = []
        self.refuse = ""

    def start(self, spec: GuestSpec) -> FakeGuest:
        if self.refuse:
            raise GuestError(self.refuse)
        self.specs.append(spec)
        self.guests.append(FakeGuest())
        return self.guests[-1]

    @property
    def alive(self) -> list[FakeGuest]:
        return [guest for guest in self.guests if guest.status is None]
