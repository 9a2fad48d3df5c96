# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent's loop needs of its system: news to wake for, a way to be asked, somebody to report to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Protocol, Union

Who = Union[int, str]  # who asks: a user's number on Linux, a security identifier on Windows
Handler = Callable[[str, Who], Dict[str, Any]]
RELOAD = ("SIGHUP", "reload")
LOOK = "look"  # nothing but a reason to look at once
JUMPS = {"suspend": "the machine is going to sleep", "wake": "the machine was asleep"}


class Events(Protocol):
    """News from the system: signals on Linux, the service manager's controls on Windows."""

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is news."""

    def take(self) -> list[str]:
        """Return the names of what has come since the last call."""

    def close(self) -> None:
        """Listen no more."""


class Control(Protocol):
    """Answers the owner's questions."""

    def filenos(self) -> Iterable[int]:
        """Return the descriptors to wait for."""

    def ready(self, fileno: int, now: float) -> None:
        """Serve one descriptor."""

    def expire(self, now: float) -> None:
        """Hang up on callers that ask nothing."""

    def close(self) -> None:
        """Stop answering."""


class Teller(Protocol):
    """Tells the system's service manager how the agent is; the words are systemd's."""

    def tell(self, text: str) -> None:
        """Say READY=1, STATUS=... or STOPPING=1."""

    def alive(self, now: float) -> None:
        """Say that the loop goes on."""


@dataclass(frozen=True)
class Edges:
    """How to make them."""

    events: Callable[[], Events]
    control: Callable[[Path, Handler], Control]
    teller: Callable[[], Teller]


def linux() -> Edges:
    """Return the edges of a Linux desktop."""
    from eyrie.agent.control import ControlServer
    from eyrie.agent.notify import Notifier
    from eyrie.agent.signals import Signals

    return Edges(Signals, ControlServer, Notifier)
