# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contract's tests share: tables for the nodes, waiting, and jobs that keep a node busy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

Node = Any
BUSY = "( i=0; while :; do i=$((i+1)); done ) </dev/null >/dev/null 2>&1 & echo $!"
UP_SECONDS = 60.0
MIGRATION_SECONDS = 120.0


def pool_table(nodes: Sequence[Node]) -> str:
    """The table with one range a node, as the contract numbers them."""
    return "".join(f"{node.number} {node.address} 1\n" for node in nodes)


def setpe(node: Node, table: str | bytes, flag: str = "-W") -> tuple[int, str]:
    """Give a table to the node's setpe; return its exit status and complaint."""
    data = table if isinstance(table, bytes) else table.encode("latin-1")
    rc, _out, err = node.sh(f"setpe {flag} -f -", data)
    return rc, err


def said(node: Node, script: str) -> str:
    """What a script prints that must succeed."""
    rc, out, err = node.sh(script)
    assert rc == 0, f"{node.name}: {script}: {rc}: {out}{err}"
    return str(out).strip()


def wait(what: str, condition: Callable[[], bool], seconds: float = UP_SECONDS) -> float:
    """Wait for a condition, and return how long it took."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.5)
    return time.monotonic() - begin


def sees(node: Node, number: int) -> str:
    """What a node says of another's status."""
    return said(node, f"mosctl status {number}")


def form_pool(nodes: Sequence[Node]) -> None:
    """All nodes in one table, open to one another, without any process of a test."""
    for node in nodes:
        rc, err = setpe(node, pool_table(nodes))
        assert rc == 0, err
        node.sh("mosctl noblock; mosctl nolstay; mosctl nostay")
    for node in nodes:
        for peer in nodes:
            wait(
                f"{node.name} sees {peer.name} up",
                lambda node=node, peer=peer: sees(node, peer.number) == "up.",  # type: ignore[misc]
            )


def start_jobs(node: Node, count: int) -> list[int]:
    """Start forked processes that only compute."""
    return [int(pid) for pid in said(node, "\n".join([BUSY] * count)).split()]


def end_jobs(node: Node, pids: Sequence[int]) -> None:
    node.sh(f"kill -9 {' '.join(map(str, pids))}")


def where(node: Node, pid: int) -> int:
    """The node that a process runs on; 0 is home."""
    return int(said(node, f"cat /proc/{pid}/where"))


def guests(node: Node) -> list[str]:
    return said(node, "ls /proc/hpc/remote").split()
