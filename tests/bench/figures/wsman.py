# SPDX-License-Identifier: GPL-3.0-or-later
"""How many commands a second the lab desktop's WS-Management endpoint serves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab.wsman.runner import Order, Process, Runner, Sink
from eyrie.lab.wsman.server import Endpoint
from eyrie.lab.wsman.settings import WINRM_3, Account, Settings
from eyrie.lab.wsman.stand_in import ShellStandIn
from tests.bench import wsman_client
from tests.bench.figure import Figure

CLIENTS = 4
SECONDS = 8.0
WHAT = "WS-Management endpoint: a command"
REAL = "WS-Management endpoint: a command that starts a process"
NOTE = (
    f"5 ms are 200 commands/s. {CLIENTS} clients in processes of their own on the same machine, NTLM with "
    "sealed messages over HTTP; a command is Command, Receive and Signal. The runner answers from memory."
)
REAL_NOTE = "The same with /bin/sh started for every command."


class Memory:
    """Answers every command at once."""

    name = "stand-in: answers from memory"

    def start(self, order: Order, sink: Sink) -> Process:
        """End before it began."""
        sink.output("stdout", b"hi\n")
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


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Count commands with a runner that costs nothing, and with one that starts a process for each."""
    runners: tuple[tuple[str, Runner, float | None, str], ...] = (
        (WHAT, Memory(), 5.0, NOTE),
        (REAL, ShellStandIn(), None, REAL_NOTE),
    )
    figures = []
    for what, runner, limit, note in runners:
        say(f"{what}: {CLIENTS} clients, {SECONDS:.0f} s")
        rate = commands_per_second(runner)
        say(f"{rate:.0f} commands/s")
        figures.append(Figure(what, limit, "ms", (1000 / rate,), "max", note))
    return figures


def commands_per_second(runner: Runner) -> float:
    """Let all clients run at the same time and add up."""
    account = Account(wsman_client.USER, os.urandom(12).hex())
    # A shell of 3.0 takes 1500 operations, and gives none back.
    quotas = replace(WINRM_3.quotas, operations_per_user=1_000_000)
    with Endpoint(Settings([account], quotas=quotas), runner) as endpoint:
        clients = [_client(endpoint.port, account.password) for _ in range(CLIENTS)]
        for client in clients:
            _expect(client, "ready")
        start = time.monotonic()
        for client in clients:
            _say(client, "go")
        done = sum(int(_line(client)) for client in clients)
        spent = time.monotonic() - start
        for client in clients:
            client.wait(30)
    return done / spent


def _client(port: int, password: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(wsman_client.__file__)), str(port), str(SECONDS)]
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    _say(client, password)
    return client


def _say(client: subprocess.Popen[str], text: str) -> None:
    assert client.stdin
    client.stdin.write(text + "\n")
    client.stdin.flush()


def _line(client: subprocess.Popen[str]) -> str:
    assert client.stdout
    return client.stdout.readline().strip()


def _expect(client: subprocess.Popen[str], wanted: str) -> None:
    seen = _line(client)
    if seen != wanted:
        raise EyrieError("client of the bench", seen=seen, wanted=wanted, next_step="read its error above")
