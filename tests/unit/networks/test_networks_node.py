# SPDX-License-Identifier: GPL-3.0-or-later
"""An openMosix node's own script: run by sh on a folder, with an `ip` that knows as little as theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from eyrie.networks.check import script
from eyrie.networks.check.answer import Reach, parse
from eyrie.networks.render import node_sh
from tests.unit.networks.network_node import ABSENT, INIT, Node

OTHER = "10.88.7.7"


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_node_gets_its_address_once(node: Node) -> None:
    assert node.present() == ["script /etc/init.d/eyrie-network", "address 10.88.0.20"]
    assert node.addresses.endswith("    inet 10.88.0.20/16 scope global eth0\n")
    assert node.present() == []
    assert node.sh("/etc/init.d/eyrie-network start").returncode == 0
    assert node.addresses.count("10.88.0.20") == 1


def test_only_said_nothing_is_changed(node: Node) -> None:
    before = node.addresses
    assert node.present(only_say="yes") == ["script /etc/init.d/eyrie-network"]
    assert (node.addresses, (node.root / INIT).exists()) == (before, False)
    node.present()
    (node.root / "addresses").write_text(before)
    assert node.present(only_say="yes") == ["address 10.88.0.20"]
    assert node.addresses == before


def test_a_lost_address_comes_back(node: Node) -> None:
    before = node.addresses
    node.present()
    (node.root / "addresses").write_text(before)
    assert node.present() == ["address 10.88.0.20"]
    assert "10.88.0.20/16" in node.addresses


def test_an_address_of_before_goes(node: Node) -> None:
    node.present(private=OTHER)
    node.present()
    assert OTHER not in node.addresses and "10.88.0.20/16" in node.addresses


@pytest.mark.parametrize("folder", ["etc", "etc/rc.d"])
def test_run_levels_are_linked_where_there_are_any(node: Node, folder: str) -> None:
    for level in range(7):
        (node.root / folder / f"rc{level}.d").mkdir(parents=True)
    assert len([line for line in node.present() if line.startswith("run level")]) == len(node_sh.LINKS)
    assert (node.root / folder / "rc3.d/S94eyrie-network").resolve() == node.root / INIT
    assert node.present() == []
    node.sh(ABSENT.read_text(), "no")
    assert [path for path in (node.root / folder).rglob("*eyrie*") if path.is_symlink()] == []


def test_it_leaves_nothing(node: Node) -> None:
    before = node.addresses
    node.present()
    assert node.sh(ABSENT.read_text(), "yes").stdout.strip().endswith("/etc/init.d/eyrie-network")
    assert (node.root / INIT).exists()
    assert node.sh(ABSENT.read_text(), "no").returncode == 0
    assert (node.addresses, (node.root / INIT).exists()) == (before, False)
    assert node.sh(ABSENT.read_text(), "no").stdout == ""


def test_a_kernel_without_ip_in_ip_is_refused_before_anything_is_changed(node: Node) -> None:
    before = node.addresses
    done = node.sh(node_sh.present(node.plan("ipip")), "no")
    assert done.returncode == 3
    assert "this node has a kernel without IP-in-IP (CONFIG_NET_IPIP)" in done.stderr and "hub" in done.stderr
    assert (node.addresses, (node.root / INIT).exists()) == (before, False)


def test_a_node_without_ip_is_refused(node: Node) -> None:
    (node.root / "bin/ip").write_text("#!/bin/sh\nexit 127\n")
    done = node.sh(node_sh.present(node.plan("shadow")), "no")
    assert (done.returncode, "no program ip" in done.stderr) == (3, True)


def test_its_answer_is_read_as_any_other(node: Node) -> None:
    node.present()
    done = node.sh(script.for_kind(node.plan("shadow"), ["10.88.0.10"]))
    said = parse(done.stdout, "node-1")
    assert (said.office, said.counted, said.mac) == ("eth0", False, "02:95:43:c3:33:77")
    assert said.addresses == {"127.0.0.1": "lo", "10.50.0.20": "eth0", "10.88.0.20": "eth0"}
    assert said.reach == {"10.88.0.10": Reach(True, True, 64)}
    assert list((node.root / "tmp").iterdir()) == []
