# SPDX-License-Identifier: GPL-3.0-or-later
"""What msiexec's exit codes mean for a desktop, and what to do next; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

DOWNGRADE_MARK = "EYRIE-DOWNGRADE"
"""The package's refusal of a downgrade starts with this word, so that a log in any language says it."""


class Outcome(Enum):
    """The ends of an installation that a user can tell apart."""

    DONE = "done"
    REBOOT_REQUIRED = "done, reboot required"
    REBOOT_STARTED = "done, reboot started"
    BUSY = "another installation is running"
    ABSENT = "not installed"
    FAILED = "installation failed"
    OTHER_VERSION = "another package of this product is installed"
    OWN_PACKAGE_GONE = "the package that Windows Installer kept is gone"
    NOT_FOUND = "the package cannot be opened"
    FORBIDDEN = "policy forbids the installation"
    WRONG_PLATFORM = "not for this kind of Windows"
    WRONG_COMMAND = "wrong command line"
    DOWNGRADE = "a newer version is installed"
    NEVER_LOGGED_ON = "the account has no key container on this desktop"
    SERVICE_START = "the service does not start"
    SERVICE_STOP = "the service does not stop"
    SERVICE_REMOVAL = "the service cannot be removed"
    UNKNOWN = "an unknown exit code"


@dataclass(frozen=True)
class Ending:
    """How one run of msiexec ended."""

    code: int
    outcome: Outcome
    next_step: str
    ok: bool = False
    reboot: bool = False
    retry: bool = False
    """Whether the same command may succeed a little later."""

    as_system: bool = False
    """Whether the same command may succeed when the system account runs it."""


REMOVED = frozenset({Outcome.DONE, Outcome.REBOOT_REQUIRED, Outcome.REBOOT_STARTED, Outcome.ABSENT})
"""After msiexec /x: these all say that the product is gone."""

_LOG = "read the log that /l*v wrote (search for 'return value 3')"

_TABLE = {
    ending.code: ending
    for ending in (
        Ending(0, Outcome.DONE, "nothing", ok=True),
        Ending(
            1641,
            Outcome.REBOOT_STARTED,
            "wait for the desktop; give msiexec /norestart, so that its owner is not interrupted",
            ok=True,
            reboot=True,
        ),
        Ending(
            3010, Outcome.REBOOT_REQUIRED, "restart the desktop when its owner is away", ok=True, reboot=True
        ),
        Ending(1618, Outcome.BUSY, "try again once the other installation has ended", retry=True),
        Ending(1605, Outcome.ABSENT, "nothing if it was to be removed; else install it"),
        Ending(1603, Outcome.FAILED, _LOG),
        Ending(1638, Outcome.OTHER_VERSION, "remove the installed package first (msiexec /x), then install"),
        Ending(1612, Outcome.OWN_PACKAGE_GONE, "run site.yml: it has Windows Installer forget the product"),
        Ending(1619, Outcome.NOT_FOUND, "check the path or URL, and that the system account may read it"),
        Ending(1625, Outcome.FORBIDDEN, "push the same MSI by GPO or Intune, see docs/msi.md"),
        Ending(1633, Outcome.WRONG_PLATFORM, "this package is for 64-bit Windows"),
        Ending(1639, Outcome.WRONG_COMMAND, "check the properties given to msiexec"),
    )
}

# A 1603 says nothing; lines of the log do. Numbers of messages are the same in every language.
_REASONS: tuple[tuple[re.Pattern[str], Outcome, str], ...] = (
    (
        re.compile(DOWNGRADE_MARK),
        Outcome.DOWNGRADE,
        "leave the newer version, or remove it first (msiexec /x)",
    ),
    (
        re.compile(r"SECREPAIR: CryptAcquireContext"),
        Outcome.NEVER_LOGGED_ON,
        "run the same command as SYSTEM, or log on there once",
    ),
    (
        re.compile(r"\b1920\. "),
        Outcome.SERVICE_START,
        "see the event log of the desktop; an antivirus may have removed a file of %ProgramFiles%\\Eyrie",
    ),
    (
        re.compile(r"\b1921\. "),
        Outcome.SERVICE_STOP,
        "end the process of the service EyrieAgent, or restart the desktop, then run again",
    ),
    (
        re.compile(r"\b1922\. "),
        Outcome.SERVICE_REMOVAL,
        "close what holds the service (services.msc, Task Manager) or restart the desktop, then run again",
    ),
)


def explain(code: int, log: str = "") -> Ending:
    """Return what an exit code means; the text of the verbose log tells one failure from another."""
    ending = _TABLE.get(code)
    if ending is None:
        return Ending(code, Outcome.UNKNOWN, _LOG)
    if ending.outcome is not Outcome.FAILED:
        return ending
    for pattern, outcome, next_step in _REASONS:
        if pattern.search(log):
            return Ending(code, outcome, next_step, as_system=outcome is Outcome.NEVER_LOGGED_ON)
    return ending
