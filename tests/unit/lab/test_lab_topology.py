# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab's file: what it means, and what is refused."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.lab.model import INTERFACE_NAME_LENGTH, derived_mac, interface
from eyrie.lab.topology import load, parse, parse_text

GOOD = """
plugin: eyrie.pool.lab
name: office
subnets:
  hq: {network: 10.77.1.0/24}
  east: {network: 10.77.2.0/24}
hosts:
  master: {kind: container, subnet: hq, address: 10.77.1.10, groups: [masters]}
  desk: {kind: vm, subnet: east, address: 10.77.2.21, memory_mib: 1024, cpus: 2, groups: [linux_desktops]}
"""

# (text replaced, by what, words the message must hold)
BAD = [
    ("name: office", "name: Office", ["name", "'Office'", "lower-case"]),
    ("name: office", "name: office-in-a-box-of-rust", ["name", "20"]),
    ("name: office", "name: a.b", ["'a.b'"]),
    ("plugin: eyrie.pool.lab", "plugin: eyrie.pool.lap", ["plugin", "eyrie.pool.lap", "eyrie.pool.lab"]),
    ("subnets:", "subnet:", ["unknown key", "'subnet'", "did you mean 'subnets'"]),
    ("{network: 10.77.1.0/24}", "{netwrok: 10.77.1.0/24}", ["hq", "'netwrok'", "did you mean 'network'"]),
    ("{network: 10.77.1.0/24}", "{}", ["hq", "missing key network"]),
    ("{network: 10.77.1.0/24}", "{network: 10.77.1.5/24}", ["hq.network", "10.77.1.5/24"]),
    ("{network: 10.77.1.0/24}", "{network: 10.77.1.0/30}", ["hq.network", "10.77.1.0/30", "/29"]),
    ("{network: 10.77.1.0/24}", "{network: 17}", ["hq.network", "17"]),
    ("10.77.2.0/24", "10.77.0.0/16", ["hq and east overlap", "10.77.1.0/24 and 10.77.0.0/16"]),
    ("10.77.2.21", "10.77.1.21", ["desk.address", "10.77.1.21", "10.77.2.0/24"]),
    ("10.77.2.21", "10.77.2.1", ["desk.address", "the router's"]),
    ("10.77.2.21", "10.77.2.0", ["desk.address", "network's own"]),
    ("10.77.2.21", "10.77.2.255", ["desk.address", "broadcast"]),
    ("10.77.2.21", "desk", ["desk.address", "'desk'"]),
    ("subnet: east", "subnet: eats", ["desk.subnet", "'eats'", "did you mean 'east'"]),
    ("kind: vm", "kind: vn", ["desk.kind", "'vn'", "container, vm"]),
    ("memory_mib: 1024", "memory_mb: 1024", ["'memory_mb'", "did you mean 'memory_mib'"]),
    ("memory_mib: 1024", "memory_mib: 64", ["desk.memory_mib", "64", "from 192 to 65536"]),
    ("memory_mib: 1024", "memory_mib: '1024'", ["desk.memory_mib", "'1024'"]),
    ("cpus: 2", "cpus: true", ["desk.cpus", "True"]),
    ("cpus: 2", "mac: '03:00:00:00:00:01'", ["desk.mac", "03:00:00:00:00:01", "unicast"]),
    ("cpus: 2", "mac: 02-00", ["desk.mac", "02-00"]),
    ("groups: [masters]", "groups: masters", ["master.groups", "'masters'", "list"]),
    ("groups: [masters]", "groups: [my-masters]", ["master.groups", "my-masters"]),
    ("  desk:", "  desk_1:", ["hosts: name", "'desk_1'"]),
    ("  desk:", "  master:", ["line 9", "given twice", "'master'"]),
    ("kind: vm, ", "", ["desk", "missing key kind"]),
    (
        "{kind: container, subnet: hq, address: 10.77.1.10, groups: [masters]}",
        "7",
        ["master", "7", "mapping"],
    ),
    ("hosts:", "hosts: {}\nx:", ["x"]),
    ("name: office", "name: [office", ["not YAML"]),
]


def test_a_good_file_means_what_it_says() -> None:
    topology = parse_text(GOOD, "lab.yml")
    master, desk = topology.hosts
    assert (topology.name, topology.kinds) == ("office", ("container", "vm"))
    assert (str(master.subnet.router), master.mac, master.is_desktop) == (
        "10.77.1.1",
        derived_mac("office", "master"),
        False,
    )
    assert (desk.memory_mib, desk.cpus, desk.is_desktop) == (1024, 2, True)


@pytest.mark.parametrize(("old", "new", "words"), BAD)
def test_what_cannot_work_is_refused_by_name(old: str, new: str, words: list[str]) -> None:
    assert old in GOOD
    with pytest.raises(EyrieError) as caught:
        parse_text(GOOD.replace(old, new, 1), "lab.yml")
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize("field", ["address", "mac"])
def test_two_hosts_cannot_share(field: str) -> None:
    hosts = {
        name: {"kind": "container", "subnet": "hq", "address": address, "mac": mac}
        for name, address, mac in [
            ("one", "10.0.0.2", "02:00:00:00:00:01"),
            ("two", "10.0.0.3", "02:00:00:00:00:02"),
        ]
    }
    hosts["two"][field] = hosts["one"][field]
    document = {"name": "x", "subnets": {"hq": {"network": "10.0.0.0/24"}}, "hosts": hosts}
    with pytest.raises(
        EyrieError, match=f"hosts: {field}: found '{hosts['one'][field]} for both one and two'"
    ):
        parse(document, "lab.yml")


def test_another_name_makes_another_lab() -> None:
    office, branch = parse_text(GOOD, "lab.yml"), parse_text(GOOD, "lab.yml", "branch")
    assert branch.name == "branch"
    ours = {office.router_namespace, *map(office.host_namespace, office.hosts)}
    assert ours.isdisjoint({branch.router_namespace, *map(branch.host_namespace, branch.hosts)})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EyrieError, match=r"nowhere/lab\.yml"):
        load(tmp_path / "nowhere" / "lab.yml")


def test_the_labs_own_inventory_is_good() -> None:
    topology = load(Path(__file__).parents[3] / "inventory" / "lab")
    assert {"masters", "linux_desktops"} <= {group for host in topology.hosts for group in host.groups}
    assert len({host.subnet for host in topology.hosts if host.is_desktop}) == 2


names = st.from_regex(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True)


@given(st.lists(names, unique=True, max_size=50))
def test_interface_names_fit_and_stay_apart(hosts: list[str]) -> None:
    made = [interface("h-", host) for host in hosts]
    assert all(len(name) <= INTERFACE_NAME_LENGTH for name in made)
    assert len(set(made)) == len(hosts)


@given(st.lists(names, unique=True, min_size=1, max_size=5), st.data())
def test_every_free_address_can_be_given(hosts: list[str], data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(2, 254), unique=True, min_size=len(hosts), max_size=len(hosts)))
    given_hosts = {
        host: {"kind": "container", "subnet": "a", "address": f"10.0.0.{number}"}
        for host, number in zip(hosts, numbers, strict=True)
    }
    topology = parse(
        {"name": "x", "subnets": {"a": {"network": "10.0.0.0/24"}}, "hosts": given_hosts}, "lab.yml"
    )
    assert [str(host.address) for host in topology.hosts] == [f"10.0.0.{number}" for number in numbers]


@given(st.integers(8, 29), st.integers(0, 255), st.integers(8, 29), st.integers(0, 255))
def test_overlap_is_refused_whatever_its_shape(one: int, first: int, two: int, second: int) -> None:
    networks = [
        IPv4Network(f"10.{first}.0.0/{one}", strict=False),
        IPv4Network(f"10.{second}.0.0/{two}", strict=False),
    ]
    document = {
        "name": "x",
        "subnets": {name: {"network": str(network)} for name, network in zip("ab", networks, strict=True)},
        "hosts": {"h": {"kind": "vm", "subnet": "a", "address": str(networks[0].network_address + 2)}},
    }
    if networks[0].overlaps(networks[1]):
        with pytest.raises(EyrieError, match="overlap"):
            parse(document, "lab.yml")
    else:
        assert len(parse(document, "lab.yml").subnets) == 2
