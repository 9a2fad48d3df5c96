# SPDX-License-Identifier: GPL-3.0-or-later
"""A node with the run levels of a distribution of 2004: init starts and stops openMosix by its links."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openmosix_cluster import (
    MIGRATION_SECONDS,
    end_jobs,
    form_pool,
    pool_table,
    said,
    sees,
    start_jobs,
    wait,
    where,
)

from eyrie.openmosix import boot
from eyrie.openmosix.read import parse, pinned, read_script

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

GOAL = boot.wanted(["10.78.0.0/16"], firewall=True, autodiscovery_interface=None)
SCRIPT = Path(__file__).with_name("run-levels.sh").read_text()
OLDER = "ln -s /etc/init.d/openmosix /etc/rc3.d/S90openmosix"  # as other tools may have left one
UP = ["S10network start 0", "S99local start 2"]
DOWN = ["K01local stop 2", "K90network stop 0"]


def run_levels(node: Any, words: str) -> list[str]:
    return said(node, f"set -- {words}\n{SCRIPT}").splitlines()


def facts(node: Any) -> Any:
    return parse(said(node, pinned(read_script())))


def send(home: Any, pids: list[int]) -> None:
    """Send processes to the second node until they are there; load balancing may take one elsewhere."""

    def there() -> bool:
        left = [pid for pid in pids if where(home, pid) != 2]
        for pid in left:
            said(home, f"migrate {pid} 2")
        return not left

    wait("all are there", there, MIGRATION_SECONDS)


def link(node: Any) -> None:
    rc, out, err = node.sh(boot.apply_script(facts(node), GOAL), GOAL.text.encode())
    assert rc == 0, out + err


@pytest.fixture
def node(nodes: list[Any]) -> Iterator[Any]:
    """The pool's second node, with run levels and a table in its file."""
    form_pool(nodes)
    node = nodes[1]
    run_levels(node, "make")
    rc, _out, err = node.sh("cat > /etc/openmosix.map", pool_table(nodes).encode())
    assert rc == 0, err
    try:
        yield node
    finally:
        node.sh(boot.remove_script(facts(node)))
        run_levels(node, "remove")
        node.sh("rm -f /etc/openmosix.map; mosctl noblock; mosctl nolstay")


def test_links_are_made_once_and_leave_with_the_script(node: Any) -> None:
    said(node, OLDER)
    assert "link it into the run levels" in boot.plan(facts(node), GOAL)
    link(node)
    after = facts(node)
    assert set(after.links) == {*boot.STARTS, *boot.STOPS}
    assert boot.plan(after, GOAL) == ()
    said(node, boot.remove_script(after))
    assert facts(node).links == ()
    assert said(node, "cd /etc; ls init.d/openmosix rc*.d/*openmosix 2>/dev/null; true") == ""


def test_init_takes_the_node_up_and_down_without_losing_a_process(node: Any, nodes: list[Any]) -> None:
    home = nodes[0]
    link(node)
    said(node, "setpe -off")  # as a node is that has just booted
    wait("the first sees it down", lambda: sees(home, 2) == "down.")
    assert run_levels(node, "enter 3") == UP
    wait("the first sees it up", lambda: sees(home, 2) == "up.")
    wait("it sees the third up", lambda: sees(node, 3) == "up.")
    pids = start_jobs(home, 2)
    try:
        send(home, pids)
        assert run_levels(node, "enter 6") == DOWN
        # Alive, and anywhere but there: the third node may take one from a busy home at once.
        wait("all have left", lambda: {where(home, pid) for pid in pids} <= {0, 3})
        wait("the first sees it down again", lambda: sees(home, 2) == "down.")
        assert run_levels(node, "enter 3") == UP
        wait("the first sees it up again, and open", lambda: sees(home, 2) == "up.")
        send(home, pids)
        assert said(node, "cat /proc/hpc/admin/lstay") == "0"
    finally:
        end_jobs(home, pids)


def test_a_node_that_was_closed_is_closed_again(node: Any) -> None:
    """A drained node whose openMosix is stopped and started takes nobody."""
    link(node)
    said(node, "mosctl block; mosctl lstay")
    run_levels(node, "enter 6")
    run_levels(node, "enter 3")
    assert said(node, "cd /proc/hpc/admin; cat mospe block lstay").split() == ["2", "1", "1"]
