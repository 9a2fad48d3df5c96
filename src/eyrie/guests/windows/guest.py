# SPDX-License-Identifier: GPL-3.0-or-later
"""One running QEMU on Windows: its conversations, its job, its life and its end."""

from __future__ import annotations

import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from eyrie.guests.backend import GuestError, Message
from eyrie.guests.cable import Cable
from eyrie.guests.program import last_lines
from eyrie.guests.qmp import QmpClient
from eyrie.guests.talk import TalkingGuest
from eyrie.guests.windows.accel import WATCHDOG_SECONDS
from eyrie.guests.windows.job import Job
from eyrie.guests.windows.process import Process

KILL_SECONDS = 5.0


@dataclass(frozen=True)
class Began:
    """A QEMU that has been started and has not called back yet."""

    process: Process
    job: Job
    accelerator: str
    directory: Path


class WindowsQemuGuest(TalkingGuest):
    """One running QEMU process: its channel, its monitor, its job and its life."""

    def __init__(
        self, began: Began, channel: socket.socket, qmp: QmpClient, cable: Cable | None = None
    ) -> None:
        super().__init__(channel, qmp, cable)
        self.pid = began.process.pid
        self.accelerator = began.accelerator
        self._process = began.process
        self._job = began.job
        self._directory = began.directory
        self._began = time.monotonic()
        self._heard = False
        self._on_silence: Callable[[], None] | None = None

    def watch(self, on_silence: Callable[[], None]) -> None:
        """Have `on_silence` called if the guest ends without a word, long after it should have spoken."""
        self._on_silence = on_silence

    def messages(self) -> list[Message]:
        """Return what the guest has said since the last call."""
        messages = super().messages()
        self._heard = self._heard or any(message.kind != "hub" for message in messages)
        return messages

    def pause(self) -> None:
        """Stop the virtual CPUs; a guest that was held still may be silent."""
        self._on_silence = None
        super().pause()

    def last_words(self) -> str:
        """Return the last lines QEMU wrote to its standard error."""
        return said(self._directory)

    def kill(self) -> None:
        """End QEMU at once, by its job and, if that were not enough, by its handle."""
        end(self._process, self._job)

    def exit_status(self) -> int | None:
        """Return None while QEMU runs, else its exit status."""
        return self._process.wait(0)

    def cpu_seconds(self) -> float:
        """Return user and system time of all QEMU's threads; the last known value once it is gone."""
        return self._process.cpu_seconds()

    def close(self) -> None:
        """Close sockets and handles and remove the run directory's files."""
        late = time.monotonic() - self._began > WATCHDOG_SECONDS
        if self._on_silence and late and not self._heard:
            self._on_silence()
        self._on_silence = None
        self.hang_up()
        self._process.close()
        self._job.close()
        shutil.rmtree(self._directory, ignore_errors=True)


def said(directory: Path) -> str:
    """Return the last lines QEMU wrote."""
    try:
        return last_lines((directory / "errors").read_bytes())
    except OSError:
        return ""


def end(process: Process, job: Job) -> None:
    """End a process, wait for its end, or say that there is none."""
    process.cpu_seconds()
    job.terminate()
    if process.wait(KILL_SECONDS) is None:
        process.terminate()
        if process.wait(KILL_SECONDS) is None:
            raise GuestError(
                "QEMU does not die",
                seen=f"process {process.pid} after TerminateProcess",
                wanted="its end",
                next_step="look for a fault of a driver, WHPX's or a virus scanner's",
            )
