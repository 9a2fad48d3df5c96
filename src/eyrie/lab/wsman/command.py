# SPDX-License-Identifier: GPL-3.0-or-later
"""One command of a shell: its output waits here until the client asks for it."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass

from eyrie.lab.wsman import faults
from eyrie.lab.wsman.runner import Order, Process, Runner, Stream

BACKLOG = 4 * 1024 * 1024
"""Bytes of output held back before the program has to wait for its reader."""

LINGER = 0.01
"""Seconds to wait for more before output is sent: most commands end right after their output."""


@dataclass(frozen=True)
class Received:
    """What one Receive gets."""

    chunks: tuple[tuple[Stream, bytes], ...]
    exit_code: int | None
    """Set once, when all output is out."""


class Command:
    """A running or ended command; safe for use by many threads."""

    def __init__(self, order: Order, command_id: str = "") -> None:
        self.id = command_id or str(uuid.uuid4()).upper()
        self.order = order
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._chunks: list[tuple[Stream, bytes]] = []
        self._held = 0
        self._exit_code: int | None = None
        self._dropped = False
        self._process: Process | None = None

    def start(self, runner: Runner) -> None:
        """Have it run."""
        self._process = runner.start(self.order, self)

    @property
    def running(self) -> bool:
        """Whether the program has not ended."""
        return self._exit_code is None

    def output(self, stream: Stream, data: bytes) -> None:
        """Take output of the program."""
        with self._changed:
            self._changed.wait_for(lambda: self._held < BACKLOG or self._dropped)
            if not self._dropped:
                self._chunks.append((stream, data))
                self._held += len(data)
                self._changed.notify_all()

    def ended(self, code: int) -> None:
        """Take the program's exit code."""
        with self._changed:
            self._exit_code = code
            self._changed.notify_all()

    def receive(self, timeout: float, limit: int) -> Received:
        """Wait for output or the end; at most `limit` bytes are taken."""
        end = time.monotonic() + timeout
        with self._changed:
            if not self._changed.wait_for(lambda: self._chunks or not self.running, end - time.monotonic()):
                raise faults.timed_out()
            self._changed.wait_for(lambda: not self.running or self._held >= limit, LINGER)
            chunks = self._take(limit)
            self._changed.notify_all()
            return Received(chunks, None if self._chunks else self._exit_code)

    def _take(self, limit: int) -> tuple[tuple[Stream, bytes], ...]:
        taken: list[tuple[Stream, bytes]] = []
        while self._chunks and limit > 0:
            stream, data = self._chunks[0]
            part, rest = data[:limit], data[limit:]
            taken.append((stream, part))
            limit -= len(part)
            self._held -= len(part)
            if rest:
                self._chunks[0] = (stream, rest)
            else:
                self._chunks.pop(0)
        return tuple(taken)

    def send(self, data: bytes, end: bool, timeout: float) -> None:
        """Hand input to the program; what it does not take in time it gets later, as on Windows."""
        if not self._sending.acquire(blocking=False):
            raise faults.busy()
        try:
            taken = self._hand_over(data, end, timeout)
        except BrokenPipeError as error:
            self._sending.release()
            raise faults.input_closed() from error
        if taken == len(data):
            self._sending.release()
            return
        threading.Thread(target=self._send_later, args=(data[taken:], end), daemon=True).start()
        raise faults.timed_out()

    def _hand_over(self, data: bytes, end: bool, timeout: float) -> int:
        assert self._process is not None
        taken = self._process.write(data, timeout)
        if end and taken == len(data):
            self._process.close_input()
        return taken

    def _send_later(self, data: bytes, end: bool) -> None:
        try:
            while data and self.running:
                data = data[self._hand_over(data, end, 1.0) :]
        except BrokenPipeError:
            return  # nobody is waiting to be told
        finally:
            self._sending.release()

    def interrupt(self) -> None:
        """Press Ctrl+C."""
        if self._process is not None:
            self._process.interrupt()

    def drop(self) -> None:
        """End the program if it runs, and forget its output."""
        with self._changed:
            self._dropped = True
            self._chunks.clear()
            self._held = 0
            self._changed.notify_all()
        if self._process is not None and self.running:
            self._process.kill()
