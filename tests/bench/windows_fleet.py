# SPDX-License-Identifier: GPL-3.0-or-later
"""Many Windows desktops in one process: real WS-Management over HTTPS, each with an address of its own.

`windows_fleet.py COUNT CERTIFICATE` reads a line of JSON with the password and the tokens, prints `ready`,
and at the end of its input how many commands each desktop ran. What runs the commands is a stand-in: it
answers `converge` as the agent of a desktop where nothing is to change, and every other line with nothing.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from eyrie import __version__
from eyrie.agent.converge.facts import sha256
from eyrie.lab.wsman.runner import Order, Process, Sink
from eyrie.lab.wsman.server import Endpoint
from eyrie.lab.wsman.settings import Account, Settings

USER = "pool-admin"
PORT = 15986


def address(number: int) -> str:
    """The desktop's own, counted from 0."""
    return f"127.0.1.{number + 1}"


class Unchanged:
    """A desktop where all is as wanted."""

    name = "stand-in: answers as an unchanged desktop"

    def __init__(self, token: str) -> None:
        self._answer = json.dumps(_answer(token)).encode()
        self.commands = 0

    def start(self, order: Order, sink: Sink) -> Process:
        """Run a line; an answer to `converge` follows its input."""
        self.commands += 1
        if " converge" in order.line:
            return _Converge(self._answer, sink)
        sink.ended(0)
        return _Ended()


class _Ended:
    def write(self, data: bytes, timeout: float) -> int:
        raise BrokenPipeError

    def close_input(self) -> None:
        return

    def interrupt(self) -> None:
        return

    def kill(self) -> None:
        return


class _Converge(_Ended):
    def __init__(self, answer: bytes, sink: Sink) -> None:
        self._answer, self._sink, self._spec = answer, sink, b""

    def write(self, data: bytes, timeout: float) -> int:
        self._spec += data
        return len(data)

    def close_input(self) -> None:
        good = json.loads(self._spec)["agent_version"] == __version__
        self._sink.output("stdout", self._answer if good else b"another version is wanted")
        self._sink.ended(0 if good else 1)


def _answer(token: str) -> dict[str, Any]:
    facts = {
        "windows": {"version": "10.0.19045", "product": "Windows 10 Pro"},
        "architecture": "AMD64",
        "memory_mib": 16384,
        "free_disk_mib": 100_000,
        "processors": 8,
        "sessions": [{"id": 1, "state": "active", "user": "anna", "locked": False, "remote": False}],
        "agent": {"version": __version__, "state": "owner"},
        "token": {"sha256": sha256(token), "signed": token.rpartition(".")[0]},
        "boot_id": "1",
        "reboot_pending": False,
    }
    return {
        "version": 1,
        "agent_version": __version__,
        "facts": facts,
        "changed": False,
        "diff": [],
        "outdated": False,
        "reboot_required": False,
        "problems": [],
    }


def main() -> None:
    """Serve until the input ends."""
    told = json.loads(sys.stdin.readline())
    settings = Settings([Account(USER, told["password"])], certificate=Path(sys.argv[2]))
    runners = [Unchanged(token) for token in told["tokens"][: int(sys.argv[1])]]
    with ExitStack() as stack:
        for number, runner in enumerate(runners):
            stack.enter_context(Endpoint(settings, runner, (address(number), PORT)))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()
    sys.stdout.write(json.dumps([runner.commands for runner in runners]) + "\n")


if __name__ == "__main__":
    main()
