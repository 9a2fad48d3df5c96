# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to a master. Only text travels: files go as base64."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from eyrie.errors import EyrieError
from eyrie.lab.model import Topology

SSH_FAILED = 255
CONNECT_SECONDS = 10
RUN_SECONDS = 60.0


class Remote(Protocol):
    """A master, as one of its ordinary users."""

    @property
    def name(self) -> str: ...

    @property
    def user(self) -> str: ...

    @property
    def is_lab(self) -> bool: ...

    def run(self, argv: Sequence[str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program; raises EyrieError only if the master cannot be reached."""
        ...


class SshRemote:
    """A master of a real site."""

    is_lab = False

    def __init__(
        self, host: str, user: str, options: Sequence[str] = (), *, timeout: float = RUN_SECONDS
    ) -> None:
        self.name = host
        self.user = user
        self._options = tuple(part for option in options for part in shlex.split(option))
        self._timeout = timeout

    def run(self, argv: Sequence[str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [
            *("ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}"),
            *self._options,
            *("-l", self.user, "--", self.name, shlex.join(argv)),
        ]
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, text=True, timeout=self._timeout, check=False
            )
        except FileNotFoundError as error:
            raise EyrieError(
                "ssh", seen="not installed", wanted="openssh-client", next_step="install it"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise self._unreachable(f"no answer in {self._timeout:.0f} s") from error
        if done.returncode == SSH_FAILED:
            raise self._unreachable(last_line(done.stderr) or "ssh failed")
        return done

    def _unreachable(self, seen: str) -> EyrieError:
        return EyrieError(
            f"master {self.name}",
            seen=seen,
            wanted=f"ssh as {self.user}, without a password",
            next_step="check --master, --user and --ssh-option",
        )


class LabRemote:
    """The master of a lab on this machine."""

    is_lab = True

    def __init__(self, path: Path, name: str | None, user: str) -> None:
        from eyrie.lab import Lab

        self._lab = Lab.load(path, name)
        self.user = user
        self.name = _access_point(path, self._lab.topology)

    def run(self, argv: Sequence[str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        # Only root and the desktops' owners have keys in a lab, and root's connection is shared: quick.
        login = ["runuser", "--login", self.user, "--command", shlex.join(argv)]
        try:
            done = self._lab.run(self.name, login, input=stdin, timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise self._unreachable(f"no answer in {RUN_SECONDS:.0f} s") from error
        if done.returncode == SSH_FAILED:
            raise self._unreachable(last_line(done.stderr) or "ssh failed")
        return done

    def _unreachable(self, seen: str) -> EyrieError:
        return EyrieError(
            f"master {self.name} of lab {self._lab.topology.name}",
            seen=seen,
            wanted="a running lab",
            next_step="`eyrie lab status`; `eyrie lab up`, then site.yml",
        )


def last_line(text: str) -> str:
    """What a program said last; empty if it said nothing."""
    return (text.strip().splitlines() or [""])[-1]


def _access_point(path: Path, topology: Topology) -> str:
    masters = [host.name for host in topology.hosts if "htcondor" in host.groups and not host.is_desktop]
    if not masters:
        raise EyrieError(
            f"lab {path}",
            seen="no host in group htcondor",
            wanted="a master with HTCondor",
            next_step="add the group",
        )
    return masters[0]
