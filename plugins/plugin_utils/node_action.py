# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase


@dataclass(frozen=True)
class Done:
    """What a script on the node ended with."""

    rc: int
    stdout: str
    stderr: str

    @property
    def reason(self) -> str:
        """Return what the node said, on one line."""
        text = self.stderr.strip() or self.stdout.strip() or f"exit status {self.rc}"
        return "; ".join(line.strip() for line in text.splitlines() if line.strip())


class NodeAction(ActionBase):  # type: ignore[misc]
    """Base of actions for bare nodes: POSIX sh there, decisions here, and no file is transferred."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True
    _supports_async = False

    round_trips = 0
    """How often the node was asked in this task."""

    def attempt(self, script: str, stdin: bytes | None = None) -> Done:
        """Run a script in one round trip, whatever it ends with; Ansible reports an unreachable node."""
        self.round_trips += 1
        # Ansible appends `&& sleep 0`, which must not stand on a line of its own. Without `sudoable` there is
        # no terminal, which would turn line ends into CRLF.
        done = self._low_level_execute_command(script.rstrip(), sudoable=False, in_data=stdin)
        return Done(int(done["rc"]), str(done["stdout"]), str(done["stderr"]))

    def sh(self, script: str, stdin: bytes | None = None) -> str:
        """Run a script in one round trip and return its standard output; fail with the node's own reason."""
        done = self.attempt(script, stdin)
        if done.rc != 0:
            raise AnsibleActionFail(f"The node's shell failed: {done.reason} (exit status {done.rc}).")
        return done.stdout

    @staticmethod
    def diff(before: str, after: str, header: str = "") -> dict[str, Any]:
        """Return what a task shows in diff mode; nothing where nothing differs."""
        if before == after:
            return {}
        named = {"before_header": header, "after_header": header} if header else {}
        return {"before": before, "after": after, **named}
