# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs the commands: the seam between the protocol and the machine behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True)
class Order:
    """A command as the client gave it."""

    line: str
    """What stands behind `cmd /c`; with `skip_cmd` the program's own command line."""

    directory: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    codepage: int = 437
    console_input: bool = True
    skip_cmd: bool = False


class Sink(Protocol):
    """Takes what a running command produces; called from any thread."""

    def output(self, stream: Stream, data: bytes) -> None:
        """Take output; blocks while the client lags behind."""

    def ended(self, code: int) -> None:
        """Take the exit code, once, after all output."""


class Process(Protocol):
    """A running command."""

    def write(self, data: bytes, timeout: float) -> int:
        """Hand over input and return how much of it was taken in time; BrokenPipeError: no reader."""

    def close_input(self) -> None:
        """End the input."""

    def interrupt(self) -> None:
        """Press Ctrl+C."""

    def kill(self) -> None:
        """End it with all it started."""


class Runner(Protocol):
    """Starts commands."""

    name: str
    """What it is; a stand-in says so here."""

    def start(self, order: Order, sink: Sink) -> Process:
        """Start a command and report to `sink`."""
