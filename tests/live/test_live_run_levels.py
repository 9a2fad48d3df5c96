# SPDX-License-Identifier: GPL-3.0-or-later
"""Genuine nodes with the run levels of a distribution of 2004, linked by site.yml, run as init does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.live.conftest import Site

pytestmark = pytest.mark.timeout(1800)

MEMBERS = ("node-1", "node-2", "node-3")
SCRIPT = (Path(__file__).parents[1] / "contract/openmosix/run-levels.sh").read_text()
LINKS = "K05 K05 S95 S95 S95 S95 K05"  # of run levels 0 to 6


def run_levels(site: Site, node: str, words: str) -> list[str]:
    return site.sh(node, f"set -- {words}\n{SCRIPT}").splitlines()


def applied(site: Site, *arguments: str) -> int:
    """Run site.yml; return how much it changed."""
    done = site.playbook("site.yml", *arguments)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return sum(int(count) for count in re.findall(r"changed=(\d+)", done.stdout))


@pytest.fixture
def pool(site: Site) -> Iterator[Site]:
    """A pool whose nodes have run levels."""
    for node in MEMBERS:
        run_levels(site, node, "make")
    yield site
    for node in MEMBERS:
        site.sh(node, "rm -f /etc/init.d/openmosix")
        run_levels(site, node, "remove")


def test_site_yml_links_openmosix_and_init_takes_nodes_up_and_down(pool: Site) -> None:
    assert applied(pool) > 0
    listed = "cd /etc; for d in rc[0-6].d; do ls $d; done | grep openmosix | sed s/openmosix//"
    for node in MEMBERS:
        assert pool.sh(node, listed).split() == LINKS.split()
    number = {node: pool.sh(node, "cat /proc/hpc/admin/mospe") for node in MEMBERS}
    assert run_levels(pool, "node-2", "enter 6") == [f"K01local stop {number['node-2']}", "K90network stop 0"]
    seen = f"mosctl isup {number['node-2']}"
    pool.until("node-2 is down", lambda: pool.sh("node-1", seen) == "no")
    assert run_levels(pool, "node-2", "enter 3") == [
        "S10network start 0",
        f"S99local start {number['node-2']}",
    ]
    for node in ("node-1", "node-3"):
        pool.until("node-2 is up", lambda node=node: pool.sh(node, seen) == "yes")  # type: ignore[misc]
    assert applied(pool) == 0


def test_a_retired_node_keeps_no_link(pool: Site) -> None:
    applied(pool)
    done = pool.playbook("playbooks/retire.yml", "--limit", "node-3")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert run_levels(pool, "node-3", "enter 3") == ["S10network start 0", "S99local start 0"]
    assert pool.sh("node-3", "ls /etc/rc[0-6].d/*openmosix 2>/dev/null; true") == ""
    assert applied(pool) > 0
