# SPDX-License-Identifier: GPL-3.0-or-later
"""The shells of one desktop and the quotas they are counted against."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from eyrie.lab.wsman import faults
from eyrie.lab.wsman.command import Command
from eyrie.lab.wsman.runner import Order, Runner
from eyrie.lab.wsman.settings import Settings


@dataclass
class Shell:
    """A command shell: an account's, with a code page, a directory and an environment."""

    user: str
    codepage: int
    directory: str
    environment: Mapping[str, str]
    idle_timeout: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()).upper())
    used: float = 0.0
    operations: int = 0
    """Commands started. Ending one does not lower it: text shells give operations back only when deleted."""

    commands: dict[str, Command] = field(default_factory=dict)

    def command(self, command_id: str) -> Command:
        """Return a command by its identifier."""
        found = self.commands.get(command_id.upper())
        if found is None:
            raise faults.command_not_found()
        return found

    @property
    def busy(self) -> int:
        """How many programs run."""
        return sum(each.running for each in self.commands.values())


class Shells:
    """All shells; safe for use by many threads."""

    def __init__(
        self, settings: Settings, runner: Runner, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._runner = runner
        self._clock = clock
        self._lock = threading.Lock()
        self._shells: dict[str, Shell] = {}

    def __len__(self) -> int:
        return len(self._shells)

    def create(self, shell: Shell) -> Shell:
        """Open a shell, if its user may have one more."""
        self.expire()
        with self._lock:
            limit = self._settings.limits.shells_per_user
            if len(self._of(shell.user)) >= limit:
                raise faults.too_many_shells(limit)
            shell.used = self._clock()
            self._shells[shell.id.upper()] = shell
            return shell

    def find(self, shell_id: str, user: str) -> Shell:
        """Return a shell of this user, which by that is in use."""
        self.expire()
        with self._lock:
            shell = self._shells.get(shell_id.upper())
            if shell is None:
                raise faults.shell_not_found(shell_id)
            if shell.user.lower() != user.lower():
                raise faults.other_users_shell()
            shell.used = self._clock()
            return shell

    def start(self, shell: Shell, order: Order, command_id: str = "") -> Command:
        """Run a command in a shell, if the quotas leave room."""
        limits = self._settings.limits
        command = Command(
            replace(
                order, directory=shell.directory, environment=dict(shell.environment), codepage=shell.codepage
            ),
            command_id,
        )
        with self._lock:
            if sum(each.operations for each in self._of(shell.user)) >= limits.operations_per_user:
                raise faults.too_many_operations(limits.operations_per_user)
            if shell.busy >= limits.processes_per_shell:
                raise faults.too_many_processes(limits.processes_per_shell)
            shell.operations += 1
            shell.commands[command.id.upper()] = command
        command.start(self._runner)
        return command

    def end(self, shell: Shell, command: Command) -> None:
        """Terminate a command; its place in the quota stays taken."""
        with self._lock:
            shell.commands.pop(command.id.upper(), None)
        command.drop()

    def delete(self, shell: Shell) -> None:
        """Close a shell and end all that runs in it."""
        with self._lock:
            self._shells.pop(shell.id.upper(), None)
        for command in list(shell.commands.values()):
            command.drop()

    def expire(self) -> None:
        """Close the shells that nobody used for too long."""
        now = self._clock()
        with self._lock:
            late = [each for each in self._shells.values() if now - each.used > each.idle_timeout]
        for shell in late:
            self.delete(shell)

    def close(self) -> None:
        """Close all shells, as the service does when it stops."""
        for shell in list(self._shells.values()):
            self.delete(shell)

    def _of(self, user: str) -> list[Shell]:
        return [each for each in self._shells.values() if each.user.lower() == user.lower()]
