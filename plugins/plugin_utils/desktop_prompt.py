# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop's command prompt over the task's own connection."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleConnectionFailure

from eyrie.desktops.model import Done, Lost


class Prompt:
    """Runs lines, counts them, and comes back after a lost connection or a restart."""

    def __init__(self, connection: Any, reconnect_seconds: int) -> None:
        self._connection = connection
        self._reconnect_seconds = reconnect_seconds
        self.round_trips = 0

    def run(self, line: str, given: bytes | None = None) -> Done:
        """Run a line; a failure of the first one is the connection's own, named by it."""
        self.round_trips += 1
        try:
            code, out, err = self._connection.exec_command(line, in_data=given, sudoable=False)
        except AnsibleConnectionFailure as error:
            if self.round_trips == 1:
                raise
            raise Lost(str(error)) from error
        return Done(int(code), _text(out), _text(err))

    def again(self) -> None:
        """Wait until the desktop answers."""
        end = time.monotonic() + self._reconnect_seconds
        while True:
            try:
                self._connection.close()
                self._connection.exec_command("ver", sudoable=False)
            except AnsibleConnectionFailure:
                if time.monotonic() > end:
                    raise
                time.sleep(2)
            else:
                return


def _text(data: bytes | str) -> str:
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else data
