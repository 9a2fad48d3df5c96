# SPDX-License-Identifier: GPL-3.0-or-later
"""Genuine nodes that find one another by omdiscd, held against the planned table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from eyrie.nodetable.state import Numbered, State, write

if TYPE_CHECKING:
    from tests.live.conftest import Site

pytestmark = pytest.mark.timeout(900)

NODES = ("node-1", "node-2")  # of one subnet: omdiscd's multicast goes no further
ASKED = ("-e", "openmosix_tools_autodiscovery_interface=eth0")
END = "killall omdiscd; sleep 1; setpe -off; rm -f /etc/init.d/openmosix; : > /etc/openmosix.map"


@pytest.fixture
def small(site: Site) -> Iterator[Site]:
    """A pool of the first subnet's nodes; the site is as before afterwards."""
    file = site.inventory / "lab.yml"
    before = file.read_text()
    site.rewrite(lambda hosts: hosts["node-3"]["groups"].remove("openmosix_tools"))
    yield site
    file.write_text(before)
    (site.inventory / "openmosix-numbers.yml").unlink(missing_ok=True)
    for node in NODES:
        site.sh(node, f"{END}; true")


def test_omdiscd_makes_the_tables_where_the_numbers_are_its_own(small: Site) -> None:
    # The last two octets: 10.78.1.11 is node 256 + 11.
    write(small.inventory / "openmosix-numbers.yml", State((Numbered("hq", 267, "10.78.1.11", 20),)))
    first = small.playbook("site.yml", *ASKED)
    assert first.returncode == 0, first.stdout[-4000:]
    assert [small.sh(node, "cat /proc/hpc/admin/mospe") for node in NODES] == ["267", "268"]
    assert small.sh("node-1", "mosctl isup 268; ps | grep -c [o]mdiscd") == "yes\n1"
    second = small.playbook("site.yml", *ASKED)
    assert second.returncode == 0, second.stdout[-4000:]
    assert set(re.findall(r"changed=(\d+)", second.stdout)) == {"0"}, second.stdout[-4000:]


def test_numbers_that_are_not_the_tables_are_named(small: Site) -> None:
    done = small.playbook("site.yml", *ASKED)
    said = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert "own number of node-1: found 267, wanted 1" in said
    assert "discovered node table of node-1: found '267 10.78.1.11 2'" in said
