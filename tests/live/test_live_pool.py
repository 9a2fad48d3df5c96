# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool of genuine nodes, from its first table to a retired node; each test goes on from the one before."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.live.conftest import Site

pytestmark = pytest.mark.timeout(1800)

EVERYBODY = ("node-1", "node-2", "node-3", "node-4")
WEST = "  - {name: west, network: 10.78.3.0/24, first: 10.78.3.11, last: 10.78.3.30}\n"
GUESTS = 10
DRAIN_SECONDS = 10.0
MIGRATION_SECONDS = 60.0
BURN = "echo 'while :; do i=1; done' > /tmp/burn; sh /tmp/burn > /dev/null 2>&1 < /dev/null & echo $!"


def number(site: Site, node: str) -> str:
    return site.sh(node, "cat /proc/hpc/admin/mospe")


def all_see_all(site: Site, *nodes: str) -> bool:
    numbers = {node: number(site, node) for node in nodes}
    return all(site.sh(node, f"mosctl isup {other}") == "yes" for node in nodes for other in numbers.values())


def applied(site: Site, *arguments: str) -> str:
    done = site.playbook("site.yml", *arguments)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def changed(output: str) -> int:
    return sum(int(count) for count in re.findall(r"changed=(\d+)", output))


@pytest.fixture
def burning(site: Site) -> Iterator[str]:
    """A process on node-1 that computes."""
    site.sh("node-1", "mosctl nolstay")
    pid = site.sh("node-1", BURN)
    yield pid
    site.sh("node-1", f"kill -9 {pid}; true")


def where(site: Site, pid: str) -> tuple[int, int]:
    """Where a process of node-1 is, and how often it moved."""
    place, moves = site.sh("node-1", f"cat /proc/{pid}/where /proc/{pid}/nmigs").split()
    return int(place), int(moves)


def test_site_yml_makes_one_pool(site: Site) -> None:
    applied(site)
    site.until("all nodes up", lambda: all_see_all(site, *EVERYBODY[:3]))
    assert changed(applied(site)) == 0


def test_a_forked_job_that_computes_migrates(site: Site, burning: str) -> None:
    took = site.until("a migration", lambda: where(site, burning)[0] != 0, MIGRATION_SECONDS)
    site.figures.append(f"a computing process migrated after {took:.1f} s")


def drained(site: Site, node: str) -> float:
    """Drain a node; return the seconds from when it refuses guests to Ansible's word that it is empty."""
    with ThreadPoolExecutor(1) as pool:
        drain = pool.submit(site.module, node, "openmosix_drain", "-a", "state=drained")
        site.until("blocked", lambda: drain.done() or site.sh(node, "cat /proc/hpc/admin/block") == "1")
        begin = time.monotonic()
        done = drain.result()
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - begin


def test_a_node_under_load_is_drained_and_nothing_is_lost(site: Site) -> None:
    target = number(site, "node-2")
    program = f"mosrun -{target} -l sleep 600 > /dev/null 2>&1 < /dev/null & echo $!"
    line = f"for i in {' '.join(map(str, range(GUESTS)))}; do {program}; done"
    guests = site.sh("node-1", line).split()
    there = "ls /proc/hpc/remote | wc -l"
    site.until("all guests there", lambda: int(site.sh("node-2", there)) >= GUESTS)
    took = drained(site, "node-2")
    assert site.sh("node-2", there) == "0"
    assert all(where(site, pid)[0] == 0 for pid in guests)
    site.figures.append(
        f"{GUESTS} guests left a drained node within {took:.1f} s (to reach: {DRAIN_SECONDS:.0f} s)"
    )
    done = site.module("node-2", "openmosix_drain", "-a", "state=active")
    assert done.returncode == 0, done.stdout + done.stderr
    site.sh("node-1", f"kill {' '.join(guests)}")


def test_the_pool_grows_while_a_process_computes_elsewhere(site: Site, burning: str) -> None:
    site.until("a migration", lambda: where(site, burning)[0] != 0, MIGRATION_SECONDS)
    for node in EVERYBODY[:3]:  # or load balancing might move it meanwhile, also back home
        site.sh(node, "mosctl stay")
    place, moves = where(site, burning)
    assert place
    _join(site, "node-4")
    applied(site)
    assert where(site, burning) == (place, moves)
    site.until("four nodes up", lambda: all_see_all(site, *EVERYBODY))
    assert where(site, burning) == (place, moves)
    for node in EVERYBODY[:3]:
        site.sh(node, "mosctl nostay")


def consistency(site: Site) -> str:
    """What pool_consistency says of all nodes; empty if they agree."""
    table = site.sh("node-1", "cat /etc/openmosix.map")
    done = site.playbook("tests/live/consistency.yml", "-e", json.dumps({"live_table": table}))
    return "" if done.returncode == 0 else done.stdout


def test_a_table_broken_by_hand_is_named_with_its_line(site: Site) -> None:
    assert consistency(site) == ""
    site.sh(
        "node-3", "sed 's/10.78.1.11/10.78.1.12/' /etc/openmosix.map > /tmp/broken; setpe -W -f /tmp/broken"
    )
    said = " ".join(consistency(site).split())
    assert "node-3" in said
    assert "1 10.78.1.12 20" in said
    site.sh("node-3", "setpe -W -f /etc/openmosix.map")
    site.until("all nodes up again", lambda: all_see_all(site, *EVERYBODY))
    assert consistency(site) == ""


def test_a_retired_node_is_gone_everywhere(site: Site) -> None:
    retired = site.playbook("playbooks/retire.yml", "--limit", "node-4")
    assert retired.returncode == 0, retired.stdout[-4000:] + retired.stderr[-2000:]
    assert number(site, "node-4") == "0"
    _leave(site, "node-4")
    applied(site)
    for node in EVERYBODY[:3]:
        assert "10.78.3.11" not in site.sh(node, "cat /etc/openmosix.map; setpe -r")
    site.until("the rest up", lambda: all_see_all(site, *EVERYBODY[:3]))
    assert changed(applied(site)) == 0


def _join(site: Site, name: str) -> None:
    site.rewrite(lambda hosts: hosts[name]["groups"].append("openmosix_tools"))
    file = site.inventory / "group_vars/all/openmosix_tools.yml"
    file.write_text(file.read_text() + WEST)


def _leave(site: Site, name: str) -> None:
    site.rewrite(lambda hosts: hosts[name]["groups"].remove("openmosix_tools"))
    file = site.inventory / "group_vars/all/openmosix_tools.yml"
    file.write_text(file.read_text().replace(WEST, ""))
