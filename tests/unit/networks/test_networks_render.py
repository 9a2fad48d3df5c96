# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that hosts get: lines that keep a promise are there, and the programs that read them agree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from eyrie.networks import Host, HostPlan, Mode, plan
from eyrie.networks.check import script
from eyrie.networks.render import NFT, OURS, SHADOW, SWANCTL, files, networkd, node_sh
from tests.unit.networks.network_pools import office, starred

KEYS = dict.fromkeys(("master-0", "master-1", "desk-0-000", "desk-1-000"), "K" * 43 + "=")


def texts(host: HostPlan) -> dict[str, str]:
    return {each.path: each.text for each in files(host, KEYS)}


def one(mode: Mode, name: str = "desk-0-000", *, fou: bool = False, star: bool = True) -> HostPlan:
    wanted = starred([1, 1], mode) if star else office([1, 1], mode, fou=fou)
    return plan(wanted, None).by_name[name]


def unit(path: str) -> str:
    return f"{networkd.FOLDER}/{path}"


def test_ipip_is_one_device_and_a_route_for_each_peer() -> None:
    written = texts(one("ipip", star=False))
    assert set(written) == {NFT, unit("60-eyrie-ipip.netdev"), unit("60-eyrie-ipip.network")}
    assert written[unit("60-eyrie-ipip.netdev")].splitlines()[1:] == [
        "[NetDev]", "Name=eyrie-ipip", "Kind=ipip", "MTUBytes=1480", "",
        "[Tunnel]", "Independent=yes", "Local=10.50.0.10", "Remote=any", "TTL=64", "DiscoverPathMTU=yes",
    ]  # fmt: skip
    network = written[unit("60-eyrie-ipip.network")]
    assert (
        "Destination=10.88.1.10/32\nGateway=10.50.1.10\nGatewayOnLink=yes\nPreferredSource=10.88.0.10\n"
        in network
    )
    # What no peer has is refused here, and does not leave by the default route.
    assert "Destination=10.88.0.0/16\nType=unreachable\n" in network
    assert "IPv4Forwarding" not in network


def test_in_a_star_the_gateway_alone_forwards() -> None:
    gateway, spoke = texts(one("ipip", "master-0")), texts(one("ipip"))
    assert "IPv4Forwarding=yes" in gateway[unit("60-eyrie-ipip.network")]
    assert "Destination=10.88.0.0/16\nGateway=10.50.0.240\n" in spoke[unit("60-eyrie-ipip.network")]
    assert "unreachable" not in spoke[unit("60-eyrie-ipip.network")]
    assert 'iifname "eyrie-ipip" oifname "eyrie-ipip" ip saddr 10.88.0.0/16' in gateway[NFT]
    assert "maxseg size set 1440" in gateway[NFT] and "maxseg" not in spoke[NFT]


def test_fou_carries_ipip_in_udp() -> None:
    written = texts(one("ipip", fou=True, star=False))
    assert "FOUDestinationPort=5555" in written[unit("60-eyrie-fou.netdev")]
    assert "Port=5555\nEncapsulation=FooOverUDP\nProtocol=ipip\n" in written[unit(networkd.FOU)]
    assert "udp dport 5555 ip saddr != @peers drop" in written[NFT]


def test_wireguard_names_peers_by_key_and_what_is_behind_them() -> None:
    written = texts(one("wireguard"))[unit("60-eyrie-wg.netdev")]
    assert f"PublicKey={KEYS['master-0']}\nAllowedIPs=10.88.0.0/16\nEndpoint=10.50.0.240:51820\n" in written
    assert "PrivateKeyFile=/etc/eyrie/network/wireguard.key" in written and "PrivateKey=" not in written
    assert "Address=10.88.0.10/16" in texts(one("wireguard"))[unit("60-eyrie-wg.network")]
    hidden = replace(one("wireguard"), keepalive=25)
    assert "PersistentKeepalive=25" in texts(hidden)[unit("60-eyrie-wg.netdev")]
    # A host that was never reached has no key yet: the others do not wait for it.
    (unknown,) = [each.text for each in files(one("wireguard"), {}) if each.path.endswith(".netdev")]
    assert "WireGuardPeer" not in unknown


def test_ipsec_never_falls_back() -> None:
    written = texts(one("ipsec", star=False))
    assert unit("60-eyrie-ipip.netdev") in written
    connections = written[SWANCTL]
    for line in (
        "version = 2", "proposals = aes256gcm16-prfsha256-x25519", "id = 10.50.1.10", "mode = transport",
        "local_ts = dynamic[4]", "start_action = trap", "close_action = trap", "dpd_action = trap",
        "auth = pubkey", "dpd_delay = 30s", "rekey_time = 14400s", "rekey_time = 3600s",
    ):  # fmt: skip
        assert f" {line}\n" in connections, line
    assert "psk" not in connections and "null" not in connections
    assert "meta l4proto 4 meta ipsec missing drop" in written[NFT]
    assert "meta l4proto 4 rt ipsec missing drop" in written[NFT]


@pytest.mark.parametrize("mode", ["ipip", "wireguard", "ipsec"])
def test_no_private_address_leaves_or_comes_by_another_way(mode: Mode) -> None:
    host = one(mode)
    lines = [line.strip() for line in texts(host)[NFT].splitlines()]
    for side in ("saddr", "daddr"):
        assert f'oifname != {{ "{host.device}", "lo" }} ip {side} 10.88.0.0/16 drop' in lines
        assert f'iifname != {{ "{host.device}", "lo" }} ip {side} 10.88.0.0/16 drop' in lines


def test_what_a_mode_does_not_write_is_known_to_be_removed() -> None:
    for mode in ("shadow", "ipip", "wireguard", "ipsec"):
        wanted = office([1], mode)  # type: ignore[arg-type]
        assert set(texts(plan(wanted, None).by_name["desk-0-000"])) <= set(OURS)
    assert set(texts(one("ipip", fou=True, star=False))) <= set(OURS)
    assert files(one("hub", star=False)) == files(one("outbound", star=False)) == ()


CASES = [("shadow", False, [1]), ("ipip", False, [1, 1]), ("ipip", True, [1, 1]),
         ("wireguard", False, [1, 1]), ("ipsec", False, [1, 1])]  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("nft"), reason="nft checks rules for root only")
@pytest.mark.parametrize(("mode", "fou", "sizes"), CASES)
@pytest.mark.parametrize("star", [False, True])
def test_nft_takes_the_rules(mode: Mode, fou: bool, sizes: list[int], star: bool) -> None:
    done = plan(replace(office(sizes, mode, fou=fou), topology="star" if star else None), None)
    for host in done.hosts:
        command = ["unshare", "--net", "nft", "--file", "-"]
        text = texts(host)[NFT]
        ran = subprocess.run(command, input=text + text, text=True, capture_output=True, check=False)
        assert ran.returncode == 0, ran.stderr + text


SCRIPTS = {
    "shadow": texts(plan(office([1], "shadow"), None).by_name["desk-0-000"])[SHADOW],
    "node": node_sh.present(plan(office([2]), None).by_name["desk-0-000"]),
    "node shadow": node_sh.present(plan(office([2], "shadow"), None).by_name["desk-0-000"]),
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_scripts_are_posix(script: str) -> None:
    ran = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_node_makes_its_tunnel_once() -> None:
    node = Host("node-1", 0x0A320014, "openmosix")
    wanted = office([1])
    script = node_sh.present(plan(replace(wanted, hosts=(*wanted.hosts, node)), None).by_name["node-1"])
    assert "ip tunnel add eyrie-ipip mode ipip local 10.50.0.20 ttl 64 pmtudisc" in script
    assert "ip route add 10.88.0.10/32 via 10.50.0.10 dev eyrie-ipip onlink src 10.88.0.20" in script
    assert "ip tunnel del eyrie-ipip" in script


@pytest.mark.parametrize("fou", [False, True])
@pytest.mark.parametrize("mode", ["ipip", "ipsec", "wireguard", "shadow"])
def test_protocols_are_numbers_because_nft_takes_ipip_for_another_one(mode: Mode, fou: bool) -> None:
    if fou and mode != "ipip":
        pytest.skip("only IP-in-IP goes in UDP")
    host = one(mode, fou=fou, star=False) if mode != "shadow" else plan(office([2], mode), None).hosts[0]
    rules = texts(host)[NFT] + script.render(host, ["10.88.0.1"])
    named = re.findall(r"(?:l4proto|ip protocol) (\S+)", rules)
    assert named, rules
    assert all(word.isdigit() for word in named)
