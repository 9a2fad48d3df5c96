# SPDX-License-Identifier: GPL-3.0-or-later
"""A genuine node and a host of today in a pool's network of mode ipsec, by the playbooks of a site."""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import yaml
from conftest import LAB, ROOT, Site
from test_live_pool_network import good

from eyrie.lab import Lab, namespaces

pytestmark = pytest.mark.timeout(1800)

NODE, DESK = "10.79.8.11", "10.79.9.21"
PRIVATE_NODE, PRIVATE_DESK = "10.88.0.11", "10.88.1.21"
SETTINGS = {
    "htcondor_pool_name": "lab",
    "pool_network_mode": "ipsec",
    "pool_network_legacy_nodes": True,
    "pool_network_subnets": [
        {"name": "hq", "network": "10.79.8.0/24"},
        {"name": "east", "network": "10.79.9.0/24"},
    ],
}
TEXT = b"eyrie-secret"
ESP, MAIN_MODE = 50, 2
LISTEN_SECONDS = 15


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Site]:
    """A node and a desktop with a router between them."""
    inventory = tmp_path / "site"
    shutil.copytree(LAB, inventory, symlinks=False)
    shutil.rmtree(inventory / "group_vars" / "all", ignore_errors=True)
    hosts = {
        "node-1": {"kind": "openmosix", "subnet": "hq", "address": NODE, "groups": ["openmosix_nodes"]},
        "desk-1": {"kind": "vm", "subnet": "east", "address": DESK, "groups": ["linux_desktops"]},
    }
    for host in hosts.values():
        host["groups"] = [*host["groups"], "pool_network"]
    subnets = {each["name"]: {"network": each["network"]} for each in SETTINGS["pool_network_subnets"]}  # type: ignore[attr-defined]
    office = {"plugin": "eyrie.pool.lab", "name": "old", "subnets": subnets, "hosts": hosts}
    (inventory / "lab.yml").write_text(yaml.safe_dump(office))
    (inventory / "group_vars" / "pool_network.yml").write_text(yaml.safe_dump(SETTINGS))
    lab = Lab.load(inventory, f"old-{os.getpid()}")
    try:
        lab.up()
        yield Site(lab, inventory, [])
    finally:
        lab.down()


class Wire:
    """What went over a subnet's wire, the node's by default, while something was done; seen on the router."""

    def __init__(self, site: Site, file: Path, subnet: str = "hq") -> None:
        self._site, self._file, self._subnet = site, file, subnet

    def __enter__(self) -> Wire:
        command = [Path(sys.executable).with_name("eyrie"), "lab", "capture", self._subnet, self._file]
        command += ["--lab", self._site.inventory, "--name", self._site.lab.topology.name]
        self._listener = subprocess.Popen([*command, "--for", str(LISTEN_SECONDS)], cwd=ROOT)
        # The file is there a moment before it listens; what is heard is written when it ends.
        self._site.until("it listens", self._file.exists)
        time.sleep(1)
        self._begin = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        assert time.monotonic() < self._begin + LISTEN_SECONDS - 2, "it was over before what it was to hear"
        assert self._listener.wait() == 0
        data, self.packets, place = self._file.read_bytes(), [], 24
        while place < len(data):
            length = struct.unpack_from("<I", data, place + 8)[0]
            frame = data[place + 16 : place + 16 + length]
            if frame[12:14] == b"\x08\x00":
                self.packets.append(frame[14:])
            place += 16 + length

    def count(self, protocol: int) -> int:
        """Packets of a protocol between the two official addresses."""
        ends = {IPv4Address(NODE).packed, IPv4Address(DESK).packed}
        return sum(each[9] == protocol and {each[12:16], each[16:20]} == ends for each in self.packets)

    def in_the_clear(self) -> list[bytes]:
        """Packets with the text, or with a private address anywhere."""
        told = (TEXT, IPv4Address(PRIVATE_NODE).packed, IPv4Address(PRIVATE_DESK).packed)
        return [each for each in self.packets if any(word in each for word in told)]

    def exchanges(self, cookie: bytes) -> list[int]:
        """Types of exchange in which the desktop answered who called with this cookie (RFC 2408, 3.1)."""
        desk = IPv4Address(DESK).packed
        return [each[46] for each in self.packets if each[12:16] == desk and each[28:36] == cookie]


def call(site: Site, source: str) -> bytes:
    """Ask the desktop, under whatever address, for IKEv1 as a node does; return the cookie."""
    cookie = os.urandom(8)
    # Of a kind each with its value: 3DES, SHA1, key in common, MODP1536, seconds (RFC 2409, appendix A).
    attributes = bytes.fromhex("80010005 80020002 80030001 80040005 800b0001 800c3840")
    transform = struct.pack("!BxHBBxx", 0, 8 + len(attributes), 1, 1) + attributes
    proposal = struct.pack("!BxHBBBB", 0, 8 + len(transform), 1, 1, 0, 1) + transform
    association = struct.pack("!BxHII", 0, 12 + len(proposal), 1, 1) + proposal
    header = struct.pack("!8s8xBBBBII", cookie, 1, 0x10, MAIN_MODE, 0, 0, 28 + len(association))
    udp = struct.pack("!HHHH", 500, 500, 8 + 28 + len(association), 0) + header + association
    ends = IPv4Address(source).packed + IPv4Address(DESK).packed
    packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, socket.IPPROTO_UDP, 0) + ends + udp
    with namespaces.inside(site.lab.topology.router_namespace):
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with raw:
        raw.sendto(packet, (DESK, 0))
    return cookie


def ping(site: Site, target: str) -> str:
    """Send the text from the desktop; the node sends it back."""
    return site.sh("desk-1", f"ping -c 2 -W 1 -i 0.3 -p {TEXT.hex()} {target} || true")


def test_a_node_talks_encrypted_until_it_leaves_and_never_in_the_clear(pair: Site, tmp_path: Path) -> None:
    def listening(name: str, subnet: str = "hq") -> Wire:
        return Wire(pair, tmp_path / f"{name}.pcap", subnet)

    refused = pair.playbook("site.yml", "-e", "pool_network_legacy_nodes=false")
    assert refused.returncode != 0
    assert "pool_network_legacy_nodes" in refused.stdout
    checked = good(pair, "site.yml", "--check", "--diff")
    assert re.search(r"node-1 +: ok=\d+ +changed=[1-9]", checked)
    assert pair.sh("node-1", "ls /etc | grep eyrie; ls /etc/init.d 2>/dev/null; true") == ""
    assert not (pair.inventory / "secrets").exists()

    said = good(pair, "site.yml", "--diff", "-vvv")
    assert (pair.inventory / "secrets" / "ike1.yml").stat().st_mode & 0o777 == 0o600
    (key,) = re.findall(r'"(\w{64})"', pair.sh("node-1", "cat /etc/eyrie-network.keys"))
    secret = yaml.safe_load((pair.inventory / "secrets" / "ike1.yml").read_text())["secret"]
    assert key not in said
    assert secret not in said
    assert pair.sh("node-1", "ls -l /etc/eyrie-network.keys").startswith("-rw------- ")
    assert pair.sh("desk-1", "stat -c %a /etc/swanctl/conf.d/eyrie-ike1.conf") == "600"
    good(pair, "playbooks/network.yml")
    assert good(pair, "site.yml").count("changed=0") == 2

    with listening("plain") as control:
        assert " 0% packet loss" in ping(pair, NODE)
    assert len(control.in_the_clear()) == 4, "else what comes next would prove nothing"
    with listening("encrypted") as wire:
        assert " 0% packet loss" in ping(pair, PRIVATE_NODE)
    assert wire.count(ESP) == 4
    assert wire.in_the_clear() == []
    assert "0% packet loss" in pair.sh("node-1", f"ping -c 2 -s 1418 {PRIVATE_DESK}")
    algorithms = pair.sh("desk-1", "swanctl --list-sas 2>/dev/null")
    assert "IKEv1" in algorithms
    assert "ESP:3DES_CBC/HMAC_SHA1_96/MODP_1536" in algorithms

    with listening("called", "east") as called:
        known, stranger = call(pair, NODE), call(pair, "10.79.8.77")
    assert MAIN_MODE in called.exchanges(known), "else the next line would prove nothing"
    assert MAIN_MODE not in called.exchanges(stranger)

    # Each end without its tunnels, as after a crash.
    pair.sh("node-1", "/etc/init.d/eyrie-network stop; /etc/init.d/eyrie-network stop")
    pair.sh("desk-1", "systemctl stop strongswan; ip xfrm policy flush; ip xfrm state flush")
    with listening("stopped") as stopped:
        assert "100% packet loss" in ping(pair, PRIVATE_NODE)
        pair.sh("node-1", f"ping -c 1 {PRIVATE_DESK} >/dev/null 2>&1; true")
    assert stopped.in_the_clear() == []
    named = pair.playbook("playbooks/network.yml")
    assert named.returncode != 0
    assert f"its private address {PRIVATE_NODE} is nowhere" in named.stdout
    # desk-1 has forgotten all; what in-force.sh finds is told to strongSwan.
    good(pair, "site.yml")
    good(pair, "playbooks/network.yml")

    pair.sh("node-1", "iptables -F; killall -9 pluto")
    named = pair.playbook("playbooks/network.yml")
    assert "node-1: the pool's rules (iptables) are not in force" in named.stdout
    good(pair, "site.yml")
    good(pair, "playbooks/network.yml")

    good(pair, "playbooks/remove.yml")
    left = "ls /etc /etc/init.d /tmp | grep eyrie; ip addr | grep 10.88; ps | grep '[p]luto'"
    left += "; iptables -n -L | grep eyrie; cat /proc/net/ipsec_eroute /proc/net/ipsec_spi"
    left += "; grep eth0 /proc/net/ipsec_tncfg; true"
    assert pair.sh("node-1", left) == ""
    assert pair.sh("desk-1", "ls /etc/swanctl/conf.d; ip xfrm state") == ""
