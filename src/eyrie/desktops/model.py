# SPDX-License-Identifier: GPL-3.0-or-later
"""The plain values of a desktop's installation, and how a desktop is spoken to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from eyrie.errors import EyrieError


class Lost(Exception):
    """The connection broke while a command ran: what became of it is not known."""


@dataclass(frozen=True)
class Done:
    """How a command on the desktop ended."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """Return what it said, on one line."""
        text = self.err.strip() or self.out.strip()
        return (
            "; ".join(line.strip() for line in text.splitlines() if line.strip())[:500] or f"exit {self.code}"
        )


class Desktop(Protocol):
    """A desktop's command prompt."""

    def run(self, line: str, given: bytes | None = None) -> Done:
        """Run a line as typed at the prompt; raises Lost."""

    def again(self) -> None:
        """Wait for the desktop to answer after it was lost, or give up with the connection's own error."""


@dataclass(frozen=True)
class Package:
    """The MSI that shall be installed."""

    version: str
    sha256: str
    size: int
    source: str
    """An https URL, a share, a path on the desktop; empty: others bring it (GPO, Intune, by hand)."""

    release: str = ""
    """The folder that it installs to, below `%ProgramFiles%\\Eyrie\\versions`."""

    product_code: str = ""
    properties: tuple[tuple[str, str], ...] = ()
    ca: str = ""
    """Certificates that the server of a URL must be signed by; empty: those that Windows trusts."""

    backend: str = "qemu"
    """What runs the guest there."""

    msiexec_fetches: bool = False
    """Whether msiexec may fetch a URL by itself where there is no curl; its hash is then not checked."""


@dataclass(frozen=True)
class Seen:
    """A desktop as one line of cmd tells it, agent or not."""

    windows: str = ""
    architecture: str = ""
    programs: str = ""
    version: str = ""
    """The agent's; empty: not installed."""

    releases: tuple[str, ...] = ()
    """Folders of releases; more than one only where an upgrade was cut short."""

    python: str = ""
    agent: str = ""
    products: tuple[str, ...] = ()
    service: bool = False
    curl: bool = False
    reboot_pending: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    """Folders of Eyrie's that are there."""


@dataclass
class Story:
    """What was done, for the result; and how time is spent between tries."""

    sleep: Callable[[float], None]
    steps: list[str] = field(default_factory=list)
    reboot: bool = False

    def tell(self, text: str) -> None:
        """Add a step."""
        self.steps.append(text)


class DesktopOutcome(EyrieError):
    """A named outcome: `outcome` is for programs, the sentence for people."""

    def __init__(self, outcome: str, thing: str, *, seen: object, wanted: str, next_step: str) -> None:
        self.outcome = outcome
        super().__init__(thing, seen=seen, wanted=wanted, next_step=next_step)
