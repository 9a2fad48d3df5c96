# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible_collections.eyrie.pool.plugins.plugin_utils.node_action import NodeAction

from eyrie.kernels import console
from eyrie.kernels.node import SEARCH_PATH

# In the background, so that the answer still gets out; the last line is what Ansible appends to. A terminal's
# hang-up is ignored before it can come.
REBOOT = f"{SEARCH_PATH}\nsync\ntrap '' 1\n(sleep 2; reboot) > /dev/null 2>&1 < /dev/null &\ntrue"
BOOT_ID = "cat /proc/sys/kernel/random/boot_id 2> /dev/null || grep btime /proc/stat"
POLL_SECONDS = 2.0


class NodeBoot(NodeAction):
    """An action that boots a node again and waits for it."""

    def boot_again(self, boot_id: str, seconds: float) -> bool:
        """Reboot and wait until the node answers out of another boot; tell whether it does in time."""
        self.sh(REBOOT)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            self._forget_connection()
            try:
                done = self.attempt(BOOT_ID)
            except AnsibleConnectionFailure:
                continue
            if done.rc == 0 and done.stdout.strip() not in ("", boot_id):
                return True
        return False

    def well_within(self, command: str, seconds: float) -> str:
        """Run the operator's own check until it passes; return what it said last, or nothing."""
        deadline = time.monotonic() + seconds
        while command:
            done = self.attempt(command)
            if done.rc == 0:
                break
            if time.monotonic() > deadline:
                return f"fails its health check: {done.reason}"
            time.sleep(POLL_SECONDS)
        return ""

    def _forget_connection(self) -> None:
        """A shared connection of before the boot talks to nobody."""
        reset: Any = getattr(self._connection, "reset", None)
        if reset is not None:
            try:
                reset()
            except AnsibleConnectionFailure:
                return


class Console:
    """What a node's console says from now on, if the control host has it in a file."""

    def __init__(self, path: str | None) -> None:
        """Remember where the file ends now."""
        self._path = Path(path) if path else None
        try:
            self._start = self._path.stat().st_size if self._path else 0
        except OSError as error:
            raise AnsibleActionFail(f"console of the node: {error}") from error

    def reason(self) -> str:
        """Return why the kernel gave up, as a sentence."""
        return self._sentence(console.reason(self._said()))

    def last(self) -> str:
        """Return where the kernel stands still, as a sentence."""
        said = self._said()
        return self._sentence(console.reason(said) or console.last(said))

    def _said(self) -> str:
        if self._path is None:
            return ""
        with self._path.open("rb") as file:
            file.seek(self._start)
            return file.read().decode("utf-8", "replace")

    @staticmethod
    def _sentence(line: str) -> str:
        return f" Its console said: {line!r}." if line else ""
