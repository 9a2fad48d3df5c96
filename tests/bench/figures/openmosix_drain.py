# SPDX-License-Identifier: GPL-3.0-or-later
"""Draining a genuine openMosix node, in a lab of two of them; only where the operator's images are named."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab import Lab
from eyrie.lab.node_choice import KERNEL, RAMDISK, given
from eyrie.openmosix import drain
from eyrie.openmosix.facts import NodeFacts
from eyrie.openmosix.read import parse, pinned, read_script
from tests.bench.figure import Figure

WHAT = "openMosix: drain of a genuine node with 10 small guests"
NOTE = "From the first command until the node has told that it is empty, over ssh."
GUESTS, RUNS, LIMIT_SECONDS = 10, 5, 10.0
UP_SECONDS, COMMAND_SECONDS, POLL_SECONDS = 120.0, 120.0, 0.5
LAB = """\
plugin: eyrie.pool.lab
name: bench-openmosix
subnets:
  hq: {network: 10.78.9.0/24}
hosts:
  home: {kind: openmosix, subnet: hq, address: 10.78.9.11, groups: [openmosix_nodes]}
  host: {kind: openmosix, subnet: hq, address: 10.78.9.12, groups: [openmosix_nodes]}
"""
TABLE = "1 10.78.9.11 2\n"
HOST_NUMBER = 2


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Drain the node `host` of guests from the node `home`, again and again."""
    if given(os.environ) is None:
        return [Figure(WHAT, LIMIT_SECONDS, "s", left_out=f"{KERNEL} and {RAMDISK} name no images")]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "lab.yml").write_text(LAB, encoding="utf-8")
        lab = Lab.load(Path(folder))
        try:
            say("openMosix: two genuine nodes")
            lab.up()
            _form_pool(lab)
            say("openMosix: drain")
            taken = tuple(_drain(lab) for _ in range(RUNS))
        finally:
            lab.down()
    return [Figure(WHAT, LIMIT_SECONDS, "s", taken, "max", NOTE)]


def _form_pool(lab: Lab) -> None:
    for node in ("home", "host"):
        # Nothing moves but what is told to.
        _sh(lab, node, f"printf %s '{TABLE}' | setpe -W -f - && mosctl stay && mosctl setspeed 10000")
    _until("the nodes see each other", lambda: _sh(lab, "home", f"mosctl isup {HOST_NUMBER}") == "yes")


def _drain(lab: Lab) -> float:
    """Send guests over, drain, and bring everything back to where it was; return the seconds of the drain."""
    job = f"mosrun -{HOST_NUMBER} -l sleep 600 >/dev/null 2>&1 </dev/null & echo $!"
    pids = _sh(lab, "home", "\n".join([job] * GUESTS)).split()
    _until("the guests are there", lambda: len(_read(lab).guests) == GUESTS)
    before = _read(lab)
    begin = time.monotonic()
    after = parse(_sh(lab, "host", pinned(drain.script(drain.drain(before), wait_seconds=60))))
    taken = time.monotonic() - begin
    if not after.empty:
        raise EyrieError("the drained node", seen="; ".join(drain.left(after)), wanted="nobody there")
    _sh(lab, "host", "\n".join(drain.resume(after).commands))
    _sh(lab, "home", f"kill {' '.join(pids)}")
    return taken


def _read(lab: Lab) -> NodeFacts:
    return parse(_sh(lab, "host", pinned(read_script())))


def _sh(lab: Lab, node: str, script: str) -> str:
    done = lab.run(node, ["sh", "-c", script], timeout=COMMAND_SECONDS)
    if done.returncode != 0:
        raise EyrieError(f"node {node}", seen=done.stderr.strip() or done.stdout, wanted="a script that runs")
    return done.stdout.strip()


def _until(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + UP_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise EyrieError(what, seen=f"not within {UP_SECONDS:.0f} s", next_step="./run live")
        time.sleep(POLL_SECONDS)
