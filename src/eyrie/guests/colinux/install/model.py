# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of a desktop, what is there, and the steps between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from eyrie.guests.colinux.release import Release

DRIVER_FILE = "linux.sys"
KERNEL = "vmlinux"
PROGRAM = "eyrie-files.exe"
"""Our own program that brings files; where it lies the folder is ours."""

STOPPED, RUNNING = 1, 4
START = {"auto": 2, "demand": 3, "agent": 3}
DISABLED = 4
ACCOUNT = "LocalSystem"
"""0.6.1 registers NetworkService, from which TAP and files of the administrators are out of reach."""

RECOVERY = (86400, ((1, 60_000), (1, 60_000), (1, 60_000)))
"""After a daemon's crash: seconds until failures are forgotten, then action (1: restart) and milliseconds."""

Verb = Literal[
    "hold-service",
    "stop",
    "remove-service",
    "remove-driver",
    "make-folder",
    "bring-program",
    "delete",
    "put",
    "install-driver",
    "set-events",
    "install-service",
    "configure-service",
    "set-recovery",
    "start",
    "remove-events",
    "remove-folder",
]


@dataclass(frozen=True)
class Step:
    """One thing to do, and why."""

    verb: Verb
    name: str = ""
    why: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.verb.replace("-", " "), self.name))) + f" ({self.why})" * bool(
            self.why
        )


@dataclass(frozen=True)
class Wanted:
    """The guest that a desktop shall have."""

    release: Release
    service: str
    config: str
    """Name of the guest's configuration in the folder."""

    files: Mapping[str, str]
    """Name in the folder -> SHA-256, the configuration and our own program among them."""

    helper: str
    folder: str = r"C:\coLinux"
    image: str = "root_fs"
    image_sha256: str = ""
    """Of the image as it is brought; empty: the operator put one there."""

    start: Literal["auto", "demand", "agent"] = "auto"
    """`agent`: the desktop's agent alone starts and stops it, and Windows never starts it again."""

    running: bool | None = True
    """None: it is left as it is, but for what has to be changed."""

    @property
    def mark(self) -> str:
        """The file that tells which image was brought; the image itself changes as the guest writes."""
        return f"{self.image}.sha256"


@dataclass(frozen=True)
class Service:
    """A service as the registry and the service manager tell of it."""

    state: int
    line: str = ""
    start: int = 0
    account: str = ""
    recovery: tuple[int, tuple[tuple[int, int], ...]] = (0, ())


@dataclass(frozen=True)
class Present:
    """What is there."""

    folder: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    """Name -> SHA-256; empty where it was not told, `in-use` where a program shares it with nobody."""

    driver: Service | None = None
    service: Service | None = None
    events: str = ""
    """The file with the texts of the event log's source."""

    daemons: int = 0
    helpers: int = 0
    bias: int | None = None
    """Minutes from the desktop's local time to UTC; None where it was not told."""

    @property
    def guest(self) -> bool:
        """Whether anything of a guest runs, whatever its service says."""
        return bool(self.daemons or (self.service and self.service.state != STOPPED))
