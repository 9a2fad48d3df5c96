# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall's rules for a guest on Windows: what they block, and how they are told from what is there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.guests.windows.firewall import Changes, Rule, State, commands, parse, plan, problems, rules
from eyrie.guests.windows.ranges import V4, V6, merged, without
from eyrie.lab.windows.programs import rule_registry

QEMU = r"C:\ProgramData\Eyrie\items\qemu-0123456789abcdef\qemu-system-x86_64.exe"
MASTER, PORT = "10.77.1.10", 9618
LOOPBACK = "127.0.0.1"


def stored(rule: Rule, version: str = "v2.30") -> str:
    """Return a rule the way Windows keeps it (MS-GPFAS 2.2.2.19)."""
    text = f"{version}|Action=Block|Active=TRUE|Dir={'Out' if rule.outbound else 'In'}|"
    numbers = {"tcp": 6, "udp": 17, "icmpv4": 1}
    if rule.protocol != "any":
        text += f"Protocol={numbers[rule.protocol]}|"
    for low, high in rule.ports:
        text += f"RPort={low}|" if low == high else f"RPort2_10={low}-{high}|"
    for name, family, ranges in (
        ("RA4", ipaddress.IPv4Address, rule.v4),
        ("RA6", ipaddress.IPv6Address, rule.v6),
    ):
        for low, high in ranges:
            text += f"{name}={family(low)}|" if low == high else f"{name}={family(low)}-{family(high)}|"
    return text + f"App={rule.program}|Name={rule.name}|"


def blocked(rules_: Iterable[Rule], address: str, protocol: str, port: int) -> bool:
    """Judge as Windows does: a packet out is blocked if any rule that blocks fits it."""
    there = ipaddress.ip_address(address)
    for rule in rules_:
        ranges = rule.v4 if there.version == 4 else rule.v6
        anywhere = not rule.v4 and not rule.v6
        if (
            rule.outbound
            and rule.protocol in ("any", protocol)
            and (anywhere or any(low <= int(there) <= high for low, high in ranges))
            and (not rule.ports or any(low <= port <= high for low, high in rule.ports))
        ):
            return True
    return False


masters = st.ip_addresses(v=4).filter(
    lambda each: not (each.is_loopback or each.is_unspecified or each.is_multicast)
)
near = st.integers(-2, 2)


@given(
    master=masters,
    port=st.integers(1, 65535),
    address=st.ip_addresses(v=4),
    shift=st.one_of(st.none(), near),
    protocol=st.sampled_from(["tcp", "udp", "icmpv4"]),
    to=st.one_of(st.integers(0, 65535), near.map(lambda each: -1000 + each)),
)
@example(
    ipaddress.IPv4Address("255.255.255.255"), 65535, ipaddress.IPv4Address("0.0.0.0"), None, "tcp", 65535
)
@example(ipaddress.IPv4Address("0.0.0.1"), 1, ipaddress.IPv4Address("0.0.0.1"), 0, "tcp", 0)
@example(ipaddress.IPv4Address(MASTER), PORT, ipaddress.IPv4Address(LOOPBACK), None, "tcp", 50001)
@example(ipaddress.IPv4Address(MASTER), PORT, ipaddress.IPv4Address(LOOPBACK), None, "udp", PORT)
def test_everything_is_blocked_but_the_pools_port(
    master: ipaddress.IPv4Address,
    port: int,
    address: ipaddress.IPv4Address,
    shift: int | None,
    protocol: str,
    to: int,
) -> None:
    if shift is not None:  # the master itself and its neighbours, which chance would never find
        address = ipaddress.IPv4Address(min(V4[1], max(0, int(master) + shift)))
    if to < 0:
        to = min(65535, max(0, port + to + 1000))
    ours = protocol == "tcp" and (
        (address == master and to == port) or str(address) == LOOPBACK  # there the agent waits for QEMU
    )
    assert blocked(rules(QEMU, str(master), port), str(address), protocol, to) is not ours


@given(address=st.ip_addresses(v=6), port=st.integers(0, 65535))
@example(ipaddress.IPv6Address("::1"), PORT)
@example(ipaddress.IPv6Address("::ffff:10.77.1.10"), PORT)
def test_ipv6_is_blocked_whole(address: ipaddress.IPv6Address, port: int) -> None:
    assert blocked(rules(QEMU, MASTER, PORT), str(address), "tcp", port)


def test_nothing_comes_in() -> None:
    (inbound,) = (rule for rule in rules(QEMU, MASTER, PORT) if not rule.outbound)
    assert (inbound.protocol, inbound.v4, inbound.v6, inbound.ports) == ("any", (), (), ())


@pytest.mark.parametrize("master", ["127.0.0.1", "127.9.9.9", "0.0.0.0", "224.0.0.1", "::1", "master", ""])
def test_a_master_that_cannot_be_one_is_refused(master: str) -> None:
    with pytest.raises(EyrieError, match="master's address"):
        rules(QEMU, master, PORT)


@pytest.mark.parametrize("port", [0, 65536, True])
def test_a_port_that_cannot_be_one_is_refused(port: int) -> None:
    with pytest.raises(EyrieError, match="pool port"):
        rules(QEMU, MASTER, port)


@given(st.lists(st.integers(0, 30)), st.integers(0, 30))
def test_without_leaves_all_but_some(numbers: list[int], number: int) -> None:
    kept = without((0, 30), numbers)
    assert any(low <= number <= high for low, high in kept) is (number not in numbers)
    assert merged(kept) == kept
    assert merged([*kept, *((each, each) for each in numbers)]) == ((0, 30),)


@pytest.mark.parametrize("rule", rules(QEMU, MASTER, PORT), ids=lambda rule: rule.name)
def test_what_windows_keeps_is_read_back(rule: Rule) -> None:
    assert parse(stored(rule)) == rule
    shouting = parse(stored(rule).replace(QEMU, QEMU.upper()))
    assert shouting is not None and shouting.same(rule)
    assert parse(stored(rule) + "Desc=x|EmbedCtxt=y|Edge=FALSE|") == rule


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Action=Block", "Action=Allow"),
        ("Active=TRUE", "Active=FALSE"),
        ("Dir=Out", "Dir=In"),
        ("RPort2_10=0-9617", "RPort2_10=0-9616"),
        ("RA4=10.77.1.10", "RA4=10.77.1.11"),
        ("RA4=10.77.1.10", "RA4=LocalSubnet"),
        ("App=C:", "App=D:"),
        ("Protocol=6", "Protocol=17"),
        ("Protocol=6", "Protocol=47"),
        ("Name=", "Profile=Domain|Name="),
        ("Name=", "LPort=1|Name="),
        ("Name=", "LA4=10.0.0.1|Name="),
        ("Name=", "Svc=x|Name="),
        ("Name=", "IFType=Lan|Name="),
        ("Name=", "LUAuth=O:LSD:(A;;CC;;;S-1-5-19)|Name="),
    ],
)
def test_a_rule_that_blocks_something_else_or_less_does_not_count(old: str, new: str) -> None:
    """A rule narrowed by hand, by field known or not, leaves the guest a way."""
    wanted = rules(QEMU, MASTER, PORT)
    texts = [stored(rule) for rule in wanted]
    assert old in texts[1]
    texts[1] = texts[1].replace(old, new)
    assert problems(state(texts), wanted) == [f"rule missing or altered: {wanted[1].name}"]
    assert plan(texts, wanted) == Changes((wanted[1].name,), (wanted[1],))


@pytest.mark.parametrize(
    "text", ["", "v2.30", "|||", "v2.30|Action|", "v2.30|Action=Block|Active=TRUE|Dir=Up|"]
)
def test_nonsense_is_no_rule(text: str) -> None:
    assert parse(text) is None


def test_subnets_are_read_in_both_spellings() -> None:
    for text in (
        "RA4=10.1.2.3/8|",
        "RA4=10.0.0.0/255.0.0.0|",
        "RA4=10.0.0.0/8|",
        "RA4=10.0.0.0-10.255.255.255|",
    ):
        rule = parse(f"v2.10|Action=Block|Active=TRUE|Dir=Out|{text}App=x|Name=y|")
        assert rule is not None and rule.v4 == ((10 << 24, (11 << 24) - 1),)


def state(local: Iterable[str], **changes: object) -> State:
    on: dict[str, int | None] = {"DomainProfile": 1, "PublicProfile": 1, "StandardProfile": 1}
    return replace(State(tuple(local), (), on, True, 2), **changes)  # type: ignore[arg-type]


def test_a_desktop_with_all_rules_needs_nothing() -> None:
    wanted = rules(QEMU, MASTER, PORT)
    texts = [*map(stored, wanted), "v2.30|Action=Allow|Active=TRUE|Dir=In|App=x|Name=Teams|"]
    assert plan(texts, wanted) == Changes((), ())
    assert problems(state(texts), wanted) == []
    assert commands(plan(texts, wanted)) == []


def test_a_new_master_replaces_the_rules_and_strangers_stay() -> None:
    old, new = rules(QEMU, "10.77.1.9", PORT), rules(QEMU, MASTER, PORT)
    texts = [*map(stored, old), "v2.30|Action=Allow|Active=TRUE|Dir=In|App=x|Name=Teams|"]
    texts.append(stored(replace(old[0], name="Eyrie guest 9: of an older release")))
    changes = plan(texts, new)
    assert changes.remove == (*(rule.name for rule in new[:4]), "Eyrie guest 9: of an older release")
    assert changes.add == new[:4]


def test_a_rule_there_twice_is_made_one() -> None:
    wanted = rules(QEMU, MASTER, PORT)
    texts = [*map(stored, wanted), stored(wanted[2])]
    assert plan(texts, wanted) == Changes((wanted[2].name,), (wanted[2],))


def test_leaving_removes_all_of_ours_and_nothing_else() -> None:
    texts = [
        *map(stored, rules(QEMU, MASTER, PORT)),
        "v2.30|Action=Block|Active=TRUE|Dir=Out|App=x|Name=Games|",
    ]
    changes = plan(texts, ())
    assert changes.add == ()
    assert changes.remove == tuple(rule.name for rule in rules(QEMU, MASTER, PORT))


def test_the_words_for_netsh() -> None:
    (first, second) = commands(Changes(("Eyrie guest 2: other ports",), (rules(QEMU, MASTER, PORT)[1],)))
    assert first == ["advfirewall", "firewall", "delete", "rule", "name=Eyrie guest 2: other ports"]
    assert second == [
        *["advfirewall", "firewall", "add", "rule", "name=Eyrie guest 2: other ports", "dir=out"],
        *["action=block", "enable=yes", f"program={QEMU}", "profile=any", "protocol=tcp"],
        *["remoteip=10.77.1.10", "remoteport=0-9617,9619-65535"],
    ]


@pytest.mark.parametrize("rule", rules(QEMU, MASTER, PORT), ids=lambda rule: rule.name)
def test_netsh_words_come_back_as_the_rule(rule: Rule) -> None:
    """By way of the lab's stand-in for netsh, which knows nothing of our rules."""
    (words,) = commands(Changes((), (rule,)))
    settings = dict(word.split("=", 1) for word in words[4:])
    assert parse(rule_registry.text(settings)) == rule


def test_all_addresses_of_both_families_are_named() -> None:
    (words,) = commands(Changes((), (rules(QEMU, MASTER, PORT)[0],)))
    assert words[-1] == (
        "remoteip=0.0.0.0-10.77.1.9,10.77.1.11-127.0.0.0,127.0.0.2-255.255.255.255,"
        "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    )
    assert V6[1] == int(ipaddress.IPv6Address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"enabled": {"PublicProfile": 0}}, "the firewall is off (PublicProfile)"),
        ({"enabled": {"PublicProfile": None}}, "the firewall is not known to be on (PublicProfile)"),
        ({"service_start": 4}, "the firewall's service is disabled"),
        ({"merges": False}, "group policy lets no rules of this desktop count"),
        ({"local": ()}, "rule missing or altered: Eyrie guest 1: other addresses"),
    ],
)
def test_rules_that_do_not_work_are_not_in_force(changes: dict[str, object], words: str) -> None:
    wanted = rules(QEMU, MASTER, PORT)
    judged = replace(state(map(stored, wanted)), **changes)  # type: ignore[arg-type]
    assert words in problems(judged, wanted)


def test_a_policy_may_bring_the_rules_itself() -> None:
    wanted = rules(QEMU, MASTER, PORT)
    brought = tuple(map(stored, wanted))
    assert problems(state((), policy=brought, merges=False), wanted) == []
