# SPDX-License-Identifier: GPL-3.0-or-later
"""An openMosix node's own script: run by sh on a folder, with an `ip` that knows as little as theirs."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from eyrie.networks import Host, Mode, plan
from eyrie.networks.check import script
from eyrie.networks.check.answer import Reach, parse
from eyrie.networks.render import node_sh
from tests.unit.networks.network_pools import office

ABSENT = Path(__file__).parents[3] / "roles/pool_network/files/node-absent.sh"
INIT, OTHER = "etc/init.d/eyrie-network", "10.88.7.7"
IP = r"""#!/bin/sh
all=ROOT/addresses
case "$1 $2" in
"addr ") cat $all ;;
"addr add") echo "    inet $3 scope global $5" >> $all ;;
"addr delete")
    grep -F " $3 " $all > /dev/null || exit 2
    grep -vF " $3 " $all > $all.new
    mv $all.new $all
    ;;
*)
    echo "ip: Unknown command $2" >&2
    exit 1
    ;;
esac
"""
PING = "#!/bin/sh\necho '64 bytes from 1: icmp_seq=0 ttl=64 time=1.0 ms'\n"


class Node:
    """A folder as a node, and what the pool's plan wants of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "bin").mkdir()
        (root / "tmp").mkdir()
        for name, text in (
            ("ip", IP.replace("ROOT", str(root))),
            ("ping", PING),
            ("modprobe", "#!/bin/sh\n"),
        ):
            (root / "bin" / name).write_text(text)
            (root / "bin" / name).chmod(0o755)
        (root / "addresses").write_text(
            "1: lo: <LOOPBACK,UP> mtu 16436 qdisc noqueue \n    inet 127.0.0.1/8 scope host lo\n"
            "3: eth0: <BROADCAST,MULTICAST,UP> mtu 1500 qdisc pfifo_fast qlen 1000\n"
            "    link/ether 02:95:43:c3:33:77 brd ff:ff:ff:ff:ff:ff\n"
            "    inet 10.50.0.20/24 brd 10.50.0.255 scope global eth0\n"
        )

    def sh(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        inner = re.sub(r"(?<![\w.])/(etc|proc|tmp)\b", rf"{self.root}/\1", text)
        # Whatever is missed here would be done to the machine that runs the tests.
        assert not re.search(r"(?<!ROOT)/(etc|proc|tmp)\b", inner.replace(str(self.root), "ROOT"))
        environment = {"PATH": f"{self.root}/bin:/usr/bin:/bin"}
        return subprocess.run(
            ["sh", "-s", "--", *arguments], input=inner, capture_output=True, text=True, env=environment
        )

    def present(self, mode: Mode = "shadow", private: str = "", only_say: str = "no") -> list[str]:
        done = self.sh(node_sh.present(self.plan(mode, private)), only_say)
        assert done.returncode == 0, done.stderr
        return [line.replace(str(self.root), "") for line in done.stdout.splitlines()]

    @staticmethod
    def plan(mode: Mode, private: str = ""):  # type: ignore[no-untyped-def]
        wanted = office([1], mode)
        node = Host("node-1", 0x0A320014, "openmosix")
        host = plan(replace(wanted, hosts=(*wanted.hosts, node)), None).by_name["node-1"]
        return replace(host, private=private or host.private)

    @property
    def addresses(self) -> str:
        return (self.root / "addresses").read_text()


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
