# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of a desktop whose power is cut.

Windows has on its disk what is some seconds old, and at once what a program wants there (RegFlushKey). Wine
writes every half minute, and does nothing for RegFlushKey: killed where it stands it would lose what Windows
keeps, and no program could help it. So the cut stops everything, then lets Wine's server write what it has.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab.commands import run

SERVER = "wineserver"
WRITE_SECONDS = 20.0


def keep(namespace: str) -> None:
    """Stop everything in a desktop's namespace as it stands, and have Wine's server write and end."""
    stopped: set[int] = set()
    while new := _processes(namespace) - stopped:  # what runs may start more meanwhile
        for pid in new:
            _signal(pid, signal.SIGSTOP)
        stopped |= new
    for server in [pid for pid in stopped if _name(pid).startswith(SERVER)]:
        # Its way out by Ctrl-C: it kills its clients without a word, writes, and ends.
        _signal(server, signal.SIGINT)
        _signal(server, signal.SIGCONT)
        _await_end(server)


def _await_end(pid: int) -> None:
    deadline = time.monotonic() + WRITE_SECONDS
    while _runs(pid):
        if time.monotonic() > deadline:
            raise EyrieError(
                "Wine's server on a desktop whose power is cut",
                seen=f"still there after {WRITE_SECONDS:.0f} s",
                wanted="the registry written, and its end",
            )
        time.sleep(0.02)


def _processes(namespace: str) -> set[int]:
    return {int(pid) for pid in run(["ip", "netns", "pids", namespace]).split()}


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace")
    except OSError:  # ended meanwhile
        return ""


def _runs(pid: int) -> bool:
    """Whether a process runs; one that nobody waits for, as its parent is stopped, does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
