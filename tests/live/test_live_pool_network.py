# SPDX-License-Identifier: GPL-3.0-or-later
"""Genuine nodes in a pool's own network, by the playbooks of a site."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from conftest import LAB, Site

from eyrie.lab import Lab

pytestmark = pytest.mark.timeout(900)

MEMBERS = {"node-1": "10.79.7.11", "node-2": "10.79.7.12"}
PRIVATE = {"node-1": "10.88.0.11", "node-2": "10.88.0.12"}
SETTINGS = {
    "pool_network_mode": "shadow",
    "pool_network_subnets": [{"name": "hq", "network": "10.79.7.0/24"}],
}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Site]:
    """Two nodes on one wire, in a lab of their own."""
    inventory = tmp_path / "site"
    shutil.copytree(LAB, inventory, symlinks=False)
    shutil.rmtree(inventory / "group_vars" / "all", ignore_errors=True)
    hosts = {
        name: {
            "kind": "openmosix",
            "subnet": "hq",
            "address": address,
            "groups": ["openmosix_nodes", "pool_network"],
        }
        for name, address in MEMBERS.items()
    }
    office = {"plugin": "eyrie.pool.lab", "name": "pair", "subnets": {"hq": {"network": "10.79.7.0/24"}}}
    (inventory / "lab.yml").write_text(yaml.safe_dump(office | {"hosts": hosts}))
    (inventory / "group_vars" / "pool_network.yml").write_text(yaml.safe_dump(SETTINGS))
    lab = Lab.load(inventory, f"pair-{os.getpid()}")
    try:
        lab.up()
        yield Site(lab, inventory, [])
    finally:
        lab.down()


def good(site: Site, playbook: str, *arguments: str) -> str:
    done = site.playbook(playbook, *arguments)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def test_nodes_have_a_private_address_until_they_leave(pair: Site) -> None:
    checked = good(pair, "site.yml", "--check", "--diff")
    assert "changed=1" in checked
    assert pair.sh("node-1", "ip addr | grep -c 10.88 || true") == "0"

    good(pair, "site.yml")
    assert good(pair, "site.yml").count("changed=0") == len(MEMBERS)
    for name, far in (("node-1", "node-2"), ("node-2", "node-1")):
        assert f"inet {PRIVATE[name]}/16" in pair.sh(name, "ip addr")
        assert "0% packet loss" in pair.sh(name, f"ping -c 2 {PRIVATE[far]}")
    good(pair, "playbooks/network.yml")

    pair.sh("node-2", f"ip addr delete {PRIVATE['node-2']}/16 dev eth0")
    named = pair.playbook("playbooks/network.yml")
    assert named.returncode != 0
    assert f"node-2: its private address {PRIVATE['node-2']} is nowhere" in named.stdout
    assert good(pair, "site.yml").count("changed=0") == 1
    good(pair, "playbooks/network.yml")

    # What its own boot would call.
    pair.sh("node-1", "/etc/init.d/eyrie-network stop")
    assert pair.sh("node-1", "/etc/init.d/eyrie-network status") == f"address {PRIVATE['node-1']}"
    pair.sh("node-1", "/etc/init.d/eyrie-network start && /etc/init.d/eyrie-network start")
    assert pair.sh("node-1", "/etc/init.d/eyrie-network status") == ""

    good(pair, "playbooks/remove.yml")
    for name in MEMBERS:
        left = "ip addr | grep 10.88; ls /etc/init.d | grep eyrie; ls /tmp | grep eyrie; true"
        assert pair.sh(name, left) == ""


def test_a_kernel_without_ip_in_ip_is_refused_and_nothing_is_changed(pair: Site) -> None:
    refused = pair.playbook("site.yml", "-e", "pool_network_mode=ipip")
    assert refused.returncode != 0
    assert "this node has a kernel without IP-in-IP (CONFIG_NET_IPIP): 2.4.26-om" in refused.stdout.replace(
        "\n       ", ""
    )
    assert pair.sh("node-1", "ls /etc/init.d 2>/dev/null | grep eyrie; true") == ""
