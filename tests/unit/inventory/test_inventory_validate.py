# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from eyrie.inventory.validate import Host, problems
from eyrie.inventory.variables import faults

ROLES = ("htcondor", "guest_image", "guest_qemu", "agent")
KNOWN = frozenset(
    {
        "agent_idle_seconds",
        "agent_name",
        "agent_pool_name",
        "agent_master_address",
        "htcondor_address",
        "htcondor_pool_name",
        "htcondor_port",
        "htcondor_revoked_tokens",
    }
)


def host(name: str, groups: str, **values: Any) -> Host:
    return Host(name, frozenset(groups.split()), frozenset(values), values)


MASTER = host("master", "masters htcondor", ansible_host="192.0.2.10", htcondor_pool_name="lab")
DESKTOP = "linux_desktops desktops agent guest_image guest_qemu"
DESK_1 = host("desk-1", DESKTOP, ansible_host="192.0.2.21", agent_pool_name="lab")
DESK_2 = host("desk-2", DESKTOP, ansible_host="192.0.2.22", agent_pool_name="lab")
POOL = (MASTER, DESK_1, DESK_2)


def sentences(*hosts: Host) -> list[str]:
    return [str(each) for each in problems(hosts, KNOWN, ROLES)]


def with_values(base: Host, **values: Any) -> Host:
    merged = {**base.values, **values}
    return replace(base, values=merged, variables=frozenset(merged))


def test_a_good_pool_has_no_problem() -> None:
    assert sentences(*POOL) == []


@pytest.mark.parametrize(
    "hosts, wanted",
    [
        (
            (*POOL, host("desk-1.east", DESKTOP, ansible_host="192.0.2.23")),
            "name 'desk-1' in the pool: found 'desk-1, desk-1.east', wanted one desktop a name. "
            "Next: rename all but one, or set agent_name",
        ),
        (
            (MASTER, with_values(DESK_1, ansible_host="192.0.2.22"), DESK_2),
            "address 192.0.2.22 (ansible_host): found 'desk-1, desk-2', wanted one host an address. "
            "Next: correct all but one in the inventory",
        ),
        (
            (MASTER, with_values(DESK_1, agent_idle_secs=5), DESK_2),
            "variable agent_idle_secs of desk-1: found 'a name that no role knows', wanted perhaps "
            "agent_idle_seconds. Next: correct or remove it in the inventory",
        ),
        (
            (MASTER, with_values(DESK_1, agent_idle_seconds=2), with_values(DESK_2, agent_idle_seconds=2)),
            "agent_idle_seconds of desk-1, desk-2: found 2, wanted a number from 5 to 86400. "
            "Next: correct it in the inventory",
        ),
        (
            (MASTER, replace(DESK_1, groups=DESK_1.groups | {"masters"}), DESK_2),
            "families of host desk-1: found 'masters, linux_desktops', wanted exactly one. "
            "Next: take it out of all but one",
        ),
        (
            (MASTER, DESK_1, replace(DESK_2, groups=DESK_2.groups - {"guest_qemu"})),
            "host desk-2 in group agent: found 'not in guest_qemu', wanted in guest_qemu as well. "
            "Next: add it to guest_qemu",
        ),
        (
            (replace(MASTER, groups=frozenset({"htcondor"})), DESK_1, DESK_2),
            "host master in group htcondor: found 'no family', wanted a host of masters. "
            "Next: add it to masters, or take it out of htcondor",
        ),
        (
            (DESK_1, DESK_2),
            "group htcondor: found 'no host', wanted the master that the desktops of group agent join. "
            "Next: add a master to it",
        ),
        (
            (*POOL, host("master-2", "masters htcondor", ansible_host="192.0.2.11")),
            "group htcondor: found 'master, master-2', wanted one master. "
            "Next: leave only the central manager in it",
        ),
        (
            (MASTER, DESK_1, with_values(DESK_2, agent_pool_name="office")),
            "agent_pool_name of desk-2: found 'office', wanted lab, which is htcondor_pool_name of master. "
            "Next: set it once, for all hosts, in group_vars/all",
        ),
        (
            (MASTER, DESK_1, with_values(DESK_2, htcondor_revoked_tokens=[{"desktop": "desk-2"}])),
            "desktop desk-2: found 'revoked for good, and yet in group agent', wanted one of the two. "
            "Next: take it out of group agent, or give its revocation an issued_before",
        ),
    ],
)
def test_one_mistake_is_one_sentence(hosts: tuple[Host, ...], wanted: str) -> None:
    assert sentences(*hosts) == [wanted]


def test_names_that_differ_in_case_alone_are_the_same() -> None:
    found = sentences(*POOL, host("DESK-1", DESKTOP, ansible_host="192.0.2.23", agent_name="DESK-1"))
    assert any(each.startswith("name 'desk-1' in the pool: found 'desk-1, DESK-1'") for each in found)


def test_hosts_behind_one_address_may_differ_in_port() -> None:
    near = with_values(DESK_1, ansible_host="192.0.2.99", ansible_port=2201)
    far = with_values(DESK_2, ansible_host="192.0.2.99", ansible_port=2202)
    assert sentences(MASTER, near, far) == []


def test_a_hundred_culprits_are_counted() -> None:
    desks = [
        host(f"desk-{n}", DESKTOP, ansible_host=f"198.51.100.{n}", agent_pool_name="office")
        for n in range(1, 101)
    ]
    (sentence,) = sentences(MASTER, *desks)
    assert "desk-5 and 95 more" in sentence


@pytest.mark.parametrize(
    "name, good, bad",
    [
        ("htcondor_port", [1024, 9618, "9618", 65535], [80, 65536, "http", True, None]),
        ("agent_idle_poll_seconds", [0.1, "0.5", 5], [0, 5.1]),
        ("htcondor_pool_name", ["lab", "pool.example.org"], ["", "Lab", "a b", "x@y", 'a"b', "-a"]),
        (
            "htcondor_address",
            ["192.0.2.10"],
            ["127.0.0.1", "0.0.0.0", "224.0.0.1", "master", "192.0.2.256", 1],
        ),
        ("agent_name", ["desk-1", "a"], ["desk_1", "desk.1", "slot1", "slot12x", "", "a" * 64, "Desk"]),
        ("htcondor_submitters", [["*"], ["alice", "bob"]], [["*@lab"], ["a b"], [1]]),
        ("htcondor_admins", [[], ["alice"]], [["*"]]),
        (
            "htcondor_revoked_tokens",
            [[], [{"desktop": "desk-1", "issued_before": "2026-11-21T10:00:00Z"}]],
            [[{"desktop": 'x" || true'}], [{"desktop": "desk-1", "issued_before": "soon"}]],
        ),
    ],
)
def test_values(name: str, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if faults({name: value})] == []
    assert [value for value in bad if not faults({name: value})] == []


def test_windows_desktops_have_rules_of_their_own() -> None:
    known = {"windows_agent_name", "windows_agent_depot_url", "htcondor_pool_name"}

    def found(*hosts: Host) -> str:
        return " ".join(str(each) for each in problems(hosts, known, {"windows_agent", "htcondor"}))

    master = Host("m", frozenset({"masters", "htcondor"}), frozenset())
    depot = Host("d", frozenset({"masters", "depot"}), frozenset())
    groups = frozenset({"windows_desktops", "windows_agent"})
    desktop = Host("pc-1.example.org", groups, frozenset())
    assert found(master, depot, desktop) == ""
    assert "publishes what pc-1.example.org install" in found(master, desktop)
    named = {"windows_agent_depot_url": "https://x:8443"}
    assert found(master, Host("pc-1", groups, frozenset(named), named)) == ""
    assert "the desktops of group windows_agent join" in found(depot, desktop)
    other = Host("pc-2", groups, frozenset(), {"windows_agent_name": "PC-1"})
    assert "one desktop a name" in found(master, depot, desktop, other)
    wrong = Host("m2", frozenset({"linux_desktops", "windows_agent"}), frozenset())
    assert "wanted a host of windows_desktops" in found(master, depot, wrong)
    away = {"htcondor_revoked_tokens": [{"desktop": "pc-1"}]}
    assert "group windows_agent" in found(master, depot, Host("pc-1", groups, frozenset(), away))
