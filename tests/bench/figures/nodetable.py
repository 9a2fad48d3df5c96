# SPDX-License-Identifier: GPL-3.0-or-later
"""Node tables: the check in process, a thousand maps through the command, the plan of the largest pool."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.nodetable import judge, plan, read_subnets
from eyrie.nodetable.table import dotted
from tests.bench.figure import Figure

CHECKS, RUNS, PLANS, MAPS = 200, 5, 9, 1000
CHECK, COMMAND, PLAN = (
    "node table: check of 256 entries",
    "node table: 1,000 maps through `eyrie nodes check`",
    "node table: plan for 65,534 nodes in 256 subnets",
)
CHECK_NOTE = "In process, from the bytes of the map to setpe's judgement, for a node in its last range."
COMMAND_NOTE = "From the start of the program to its end; each map has 256 entries."
PLAN_NOTE = (
    "With 65,534 hosts, from the subnets as an inventory lists them to the table, its numbers and its effect."
)


def measure(say: Callable[[str], None]) -> list[Figure]:
    """The median decides: these are short, and the machine has other things to do."""
    say("node tables")
    checks = tuple(_milliseconds(_check, CHECKS))
    commands = tuple(value / 1000 for value in _milliseconds(_command(), RUNS))
    plans = tuple(value / 1000 for value in _milliseconds(_plan(), PLANS))
    return [
        Figure(CHECK, 2, "ms", checks, "median", CHECK_NOTE),
        Figure(COMMAND, 3, "s", commands, "median", COMMAND_NOTE),
        Figure(PLAN, 0.5, "s", plans, "median", PLAN_NOTE),
    ]


def _milliseconds(work: Callable[[], object], times: int) -> list[float]:
    values = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        values.append((time.perf_counter() - started) * 1000)
    return values


def full_map() -> bytes:
    """As many entries as the kernel takes, a subnet each."""
    return b"".join(
        b"%d 10.%d.%d.1 254\n" % (254 * place + 1, place >> 8, place & 255) for place in range(256)
    )


def _check(data: bytes = full_map()) -> None:
    if not judge(data, "10.0.255.254").accepted:
        raise EyrieError("check of 256 entries", seen="refused", wanted="ok")


def _command() -> Callable[[], object]:
    """The command as it is installed, on files that are there already."""
    directory = tempfile.TemporaryDirectory(prefix="eyrie-bench-")
    names = [f"{number}.map" for number in range(MAPS)]
    for name in names:
        (Path(directory.name) / name).write_bytes(full_map())
    program = str(Path(sys.executable).with_name("eyrie"))

    def run() -> None:
        done = subprocess.run(
            [program, "nodes", "check", *names],
            cwd=directory.name,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or done.stdout.count(": ok\n") != MAPS:
            raise EyrieError(
                "eyrie nodes check", seen=(done.stdout + done.stderr)[-300:], wanted="1,000 times ok"
            )

    return run


def _plan() -> Callable[[], object]:
    """The most that node numbers allow: 255 subnets of 254 hosts, and one of 764."""
    listed = [{"name": f"s{place}", "network": f"10.1.{place}.0/24"} for place in range(255)]
    listed.append({"name": "last", "network": "10.2.0.0/16", "first": "10.2.0.1", "last": "10.2.2.252"})
    spans = [(subnet.first, subnet.last) for subnet in read_subnets(listed)]
    hosts = {f"pc-{address}": dotted(address) for first, last in spans for address in range(first, last + 1)}

    def run() -> None:
        done = plan(read_subnets(listed), hosts, None)
        if done.table.size != 65534 or len(done.table.entries) != 256:
            raise EyrieError("plan", seen=done.table.size, wanted="65534 nodes in 256 ranges")

    return run
