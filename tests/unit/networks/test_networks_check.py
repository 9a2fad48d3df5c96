# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not as planned is named, with its likely cause; what is as planned raises nothing."""

from __future__ import annotations

import subprocess
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.networks import Host, Mode, NetworkPlan, Site, Wanted, plan
from eyrie.networks.check.answer import Reach, parse
from eyrie.networks.check.judge import judge
from eyrie.networks.check.script import render
from tests.unit.networks.network_answers import answer
from tests.unit.networks.network_pools import office, starred

A, B = "desk-0-000", "desk-0-001"
NOW = 1795288580
Said = dict[str, dict[str, Any]]


def pair(mode: Mode, **more: Any) -> NetworkPlan:
    return plan(office([2], mode, gateways=0, **more), None)


def findings(done: NetworkPlan, said: Said | None = None, absent: tuple[str, ...] = ()) -> list[str]:
    answers = {
        host.name: None
        if host.name in absent
        else parse(answer(done, host.name, **(said or {}).get(host.name, {})), "x")
        for host in done.hosts
    }
    return [str(each) for each in judge(done, answers, NOW).findings]


@pytest.mark.parametrize("mode", ["shadow", "ipip", "wireguard", "ipsec"])
def test_a_network_as_planned_raises_nothing(mode: Mode) -> None:
    assert findings(pair(mode)) == []
    if mode != "shadow":
        assert findings(plan(starred([2, 2], mode), None)) == []
    assert findings(plan(office([2], "ipip", fou=True), None)) == []


NO_IKE = (
    "received AUTHENTICATION_FAILED notify error, subject certificate invalid (valid until Nov 20): expired"
)
CASES: dict[str, tuple[Mode, Said, str]] = {
    "protocol 4 dropped on the way": (
        "ipip",
        {A: {"lost": (B,)}, B: {"lost": (A,), "counters": {"ingress_ipip": 0}}},
        f"{A} to {B}: something between drops protocol 4 (IP-in-IP): {A} sends, nothing arrives at {B}",
    ),
    "UDP dropped on the way": (
        "wireguard",
        {A: {"lost": (B,)}, B: {"lost": (A,), "counters": {"ingress_wireguard": 0}}},
        "something between drops UDP port 51820",
    ),
    "wrong key on one host": (
        "wireguard",
        {A: {"lost": (B,), "handshake": "0"}, B: {"lost": (A,), "handshake": "0"}},
        "no handshake is completed: one of them has another key",
    ),
    "wrong key on a host that had the right one": (
        "wireguard",
        {A: {"lost": (B,), "key": "L" * 43 + "="}, B: {"lost": (A,)}},
        f"{B} to {A}: {A} has another key than {B} knows",
    ),
    "expired certificate": ("ipsec", {A: {"lost": (B,), "ike": NO_IKE}}, f"IKE says: {NO_IKE}"),
    "clock off by a day": (
        "ipsec",
        {A: {"lost": (B,), "ike": NO_IKE}, B: {"time": str(NOW + 86400)}},
        "and their clocks are 86400 s apart",
    ),
    "a slow clock alone": ("ipip", {B: {"time": str(NOW - 86400)}}, f"{B}: its clock is -86400 s off"),
    "a fast clock alone": ("ipip", {B: {"time": str(NOW + 86400)}}, f"{B}: its clock is 86400 s off"),
    "IKE dropped on the way": (
        "ipsec",
        {A: {"lost": (B,), "ike": "retransmit 4 of request"}, B: {"counters": {"ingress_esp": 0}}},
        "something between drops UDP 500 or 4500",
    ),
    "large packets dropped": (
        "ipip",
        {A: {"cut": (B,)}},
        f"{A} to {B}: packets of 1480 bytes are lost, small ones not",
    ),
    "a run that was cut": (
        "ipip",
        {A: {"lost": (B,)}, B: {"private": "", "lost": (A,)}},
        f"{B}: its private address 10.88.0.11 is nowhere, not on eyrie-ipip",
    ),
    "the address on another device": (
        "wireguard",
        {A: {"private": "10.88.0.10/32 scope global eyrie-ipip"}},
        f"{A}: its private address 10.88.0.10 is eyrie-ipip, not on eyrie-wg",
    ),
    "rules gone": ("ipip", {A: {"rules": "no"}}, f"{A}: the pool's rules (nft) are not in force"),
    "plain text in ipsec": (
        "ipsec",
        {A: {"counters": {"egress_esp": 0, "egress_ipip": 4}}},
        f"{A}: 4 packets of IP-in-IP left unencrypted, in mode ipsec",
    ),
    "nothing of the mode on the wire": (
        "wireguard",
        {A: {"counters": {"egress_wireguard": 0}}},
        f"{A}: others answer, but nothing of mode wireguard went over its wire",
    ),
    "a leak": (
        "ipip",
        {A: {"counters": {"egress_private_source": 3}}},
        f"{A}: 3 packets with private addresses went",
    ),
    "a route past the device": (
        "ipip",
        {A: {"routes": {B: "eth0"}}},
        f"{A} to {B}: goes out by eth0, past eyrie-ipip",
    ),
    "no route": (
        "ipip",
        {A: {"routes": {B: "eth0"}, "lost": (B,)}},
        f"{A} to {B}: no route by eyrie-ipip, but by eth0",
    ),
    "another way back": (
        "ipip",
        {A: {"ttl": 62}},
        f"{A} to {B}: the answer came through 2 routers, planned are 0",
    ),
    "a visitor with the address": (
        "shadow",
        {A: {"lost": (B,), "macs": {B: "02:00:00:00:00:99"}}, B: {"mac": "02:00:00:00:00:02"}},
        f"02:00:00:00:00:99 answers for 10.88.0.11, not {B} (02:00:00:00:00:02): a visitor",
    ),
    "a subnet renumbered": (
        "ipip",
        {B: {"official": "10.60.0.11/24"}},
        f"{B}: no interface has its official address 10.50.0.11",
    ),
    "not counted": ("ipip", {A: {"counted": "no"}}, f"{A}: its wire could not be counted"),
    "a firewall of the host": ("ipip", {A: {"lost": (B,)}}, f"packets arrive at {B}, which does not answer"),
    "nothing leaves": (
        "ipip",
        {A: {"lost": (B,), "counters": {"egress_ipip": 0}}},
        f"nothing of it leaves {A}",
    ),
}


@pytest.mark.parametrize(("mode", "said", "cause"), CASES.values(), ids=CASES)
def test_each_fault_has_its_cause(mode: Mode, said: Said, cause: str) -> None:
    found = findings(pair(mode), said)
    assert [each for each in found if cause in each], found


def test_a_host_that_is_off_is_named_and_no_fault() -> None:
    done = pair("ipip")
    verdict = judge(done, {A: parse(answer(done, A, lost=(B,)), A), B: None}, NOW)
    assert (verdict.matrix, verdict.unreachable, verdict.good) == ({A: {B: "?"}}, (B,), True)


def test_the_matrix_tells_large_packets_from_none() -> None:
    done = plan(office([3], gateways=0), None)
    said = {A: answer(done, A, lost=(B,), cut=("desk-0-002",))}
    verdict = judge(
        done, {name: parse(said.get(name, answer(done, name)), name) for name in done.by_name}, NOW
    )
    assert verdict.matrix[A] == {B: "no", "desk-0-002": "cut"}
    assert verdict.matrix[B] == {A: "ok", "desk-0-002": "ok"}


def test_who_answers_only_when_keys_are_agreed_answers() -> None:
    """An IPsec connection is made by the first packets, which may all be lost meanwhile."""
    done = plan(office([1, 1], "ipsec"), None)
    here, there = (host.name for host in done.hosts[:2])
    late = answer(done, here).replace(
        f"@small {done.by_name[there].private} 0", f"@small {done.by_name[there].private} 1"
    )
    assert " 1\n@big" in late
    assert parse(late, here).reach[done.by_name[there].private].small


def test_an_answer_is_read_whole_or_not_at_all() -> None:
    done = pair("shadow")
    text = answer(done, A, macs={B: "02:00:00:00:00:02"})
    read = parse(text.replace("\n", "\r\n"), A)
    assert read.reach == {"10.88.0.11": Reach(True, True, 64, "eth0", "02:00:00:00:00:02")}
    assert read.addresses["10.88.0.10"] == "eth0" and read.mac == "02:00:00:00:00:01"
    for cut in ("", "sh: nft: not found\n", text.removesuffix("@end\n")):
        with pytest.raises(EyrieError, match=f"answer of host {A}"):
            parse(cut, A)


@given(st.integers(0, 2000))
def test_an_answer_that_is_cut_anywhere_is_no_answer(place: int) -> None:
    text = answer(pair("wireguard"), A)
    if place < len(text) - len("@end\n"):
        with pytest.raises(EyrieError):
            parse(text[:place], A)


def test_the_script_is_posix_and_names_no_key() -> None:
    for mode in ("shadow", "ipip", "wireguard", "ipsec"):
        done = pair(mode)
        text = render(done.by_name[A], ["10.88.0.11", "10.88.0.12"])
        ran = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert (
            "nokeys" in text and "private-key" not in text and "showconf" not in text and "dump" not in text
        )
    with pytest.raises(ValueError, match="reboot"):
        render(pair("ipip").by_name[A], ["10.88.0.11; reboot"])


def test_what_a_real_host_answered_is_read_and_judged() -> None:
    """Debian 13 in a VM, a WireGuard tunnel across a router; the master was not asked."""
    text = (Path(__file__).parent / "recorded/wireguard-desk-1.txt").read_text()
    said = parse(text, "desk-1")
    assert said.counters["egress_wireguard"] == 7 and said.counters["ingress_wireguard"] == 5
    assert said.reach == {"10.88.0.10": Reach(True, True, 64, "eyrie-wg", "")}
    sites = (Site("hq", IPv4Network("10.90.1.0/24")), Site("east", IPv4Network("10.90.2.0/24")))
    hosts = (Host("master", 0x0A5A010A, gateway=True), Host("desk-1", 0x0A5A0215))
    verdict = judge(
        plan(Wanted("wireguard", sites, hosts), None), {"desk-1": said, "master": None}, said.time
    )
    assert (verdict.matrix, verdict.findings) == ({"desk-1": {"master": "ok"}}, ())
