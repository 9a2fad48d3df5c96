# SPDX-License-Identifier: GPL-3.0-or-later
"""openMosix nodes of a lab: which form they have, how they start, how they are spoken to."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from eyrie.errors import EyrieError
from eyrie.lab import (
    inventory,
    keys,
    network_plan,
    node_choice,
    node_fake,
    node_seed,
    node_vm,
    preflight,
    ssh,
)
from eyrie.lab.model import FAKE, GENUINE, Topology
from eyrie.lab.paths import Paths
from eyrie.lab.plan import Present, plan
from eyrie.lab.seed import Keys
from eyrie.lab.topology import load, parse_text

ROOT = Path(__file__).parents[3]
NODES = parse_text(
    """
name: nodes
subnets: {hq: {network: 10.78.1.0/24}, east: {network: 10.78.2.0/25}}
hosts:
  one: {kind: openmosix, subnet: hq, address: 10.78.1.11, groups: [openmosix_nodes]}
  two: {kind: openmosix, subnet: east, address: 10.78.2.11, groups: [openmosix_nodes], memory_mib: 64}
  new: {kind: vm, subnet: east, address: 10.78.2.12, groups: [openmosix_nodes]}
""",
    "lab.yml",
)
BOTH = {node_choice.KERNEL: "/k", node_choice.RAMDISK: "/r"}


def lab(tmp_path: Path, environ: Mapping[str, str]) -> tuple[Topology, Paths]:
    paths = Paths("nodes", state_root=tmp_path)
    return node_choice.resolve(NODES, paths, environ), paths


@pytest.mark.parametrize(("environ", "kind"), [({}, FAKE), (BOTH, GENUINE), ({node_choice.KERNEL: ""}, FAKE)])
def test_images_make_nodes_genuine(tmp_path: Path, environ: Mapping[str, str], kind: str) -> None:
    topology, _ = lab(tmp_path, environ)
    assert [host.kind for host in topology.hosts] == [kind, kind, "vm"]


@pytest.mark.parametrize("name", BOTH)
def test_one_image_alone_is_a_mistake(tmp_path: Path, name: str) -> None:
    with pytest.raises(EyrieError, match=rf"{name} is set, .* is not.*both .* or neither"):
        lab(tmp_path, {name: "/x"})


def test_a_lab_keeps_the_form_it_was_brought_up_with(tmp_path: Path) -> None:
    topology, paths = lab(tmp_path, BOTH)
    node_choice.record(topology, paths, BOTH)
    assert lab(tmp_path, {})[0] == topology
    node_choice.record(topology, paths, {})


def test_a_lab_of_fakes_does_not_turn_genuine(tmp_path: Path) -> None:
    topology, paths = lab(tmp_path, {})
    node_choice.record(topology, paths, {})
    fakes = node_choice.resolve(NODES, paths, BOTH)
    assert fakes == topology
    with pytest.raises(EyrieError, match=r"stands with fake openMosix nodes.*eyrie lab down --name nodes"):
        node_choice.record(fakes, paths, BOTH)


def test_images_that_are_not_the_known_ones_are_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "kernel"
    wrong.write_bytes(b"another")
    environ = {node_choice.KERNEL: str(wrong), node_choice.RAMDISK: str(wrong)}
    paths = Paths("nodes", state_root=tmp_path)
    with pytest.raises(EyrieError, match=r"KERNEL=.*kernel: found 'SHA-256 \w{64}', wanted SHA-256 b00d2df4"):
        node_vm.take_images(paths, environ)
    with pytest.raises(EyrieError, match="nowhere: found 'No such file"):
        node_vm.take_images(paths, {**environ, node_choice.KERNEL: "/nowhere"})
    assert not node_vm.has_images(paths)


def test_a_node_without_the_family_group_is_refused() -> None:
    host = "{kind: openmosix, subnet: a, address: 10.0.0.2}"
    document = f"name: x\nsubnets: {{a: {{network: 10.0.0.0/24}}}}\nhosts: {{n: {host}}}"
    with pytest.raises(EyrieError, match=r"n\.groups.*openmosix_nodes"):
        parse_text(document, "lab.yml")


def test_a_genuine_node_gets_its_address_from_the_kernel_command_line(tmp_path: Path) -> None:
    topology, paths = lab(tmp_path, BOTH)
    command = node_vm.command(paths, topology.by_name["two"])
    options = command[command.index("-append") + 1].split()
    assert "ip=10.78.2.11::10.78.2.1:255.255.255.128:two::none" in options
    assert {"root=/dev/ram0", "SSHD=1", "OMAUTO=0", "DHCP=0"} <= set(options)
    assert command[0] == "qemu-system-i386"
    assert command[command.index("-m") + 1] == "64"
    assert any(word.startswith("rtl8139,") and word.endswith(topology.by_name["two"].mac) for word in command)


def test_only_genuine_nodes_have_a_tap(tmp_path: Path) -> None:
    for environ, expected in ((BOTH, True), ({}, False)):
        topology, _ = lab(tmp_path, environ)
        assert (network_plan.TAP in network_plan.host_spec(topology, topology.hosts[0]).links) is expected


def test_a_fake_node_says_so_in_its_command(tmp_path: Path) -> None:
    topology, paths = lab(tmp_path, {})
    command = node_fake.command(paths, topology.hosts[0], tmp_path)
    assert {"unshare", "eyrie.lab.fake_node", "10.78.1.11", "chaos-a4e010b"} <= set(command)


def test_programs_of_a_lab_of_fakes_need_no_qemu(tmp_path: Path) -> None:
    assert "qemu-system-i386" not in preflight.programs([FAKE])
    assert preflight.programs([GENUINE])["qemu-system-i386"] == "qemu-system-x86"


def test_the_plan_makes_one_image_for_all_nodes(tmp_path: Path) -> None:
    topology, _ = lab(tmp_path, BOTH)
    assert [step.subject for step in plan(topology, Present()) if step.verb == "image"] == [GENUINE, "vm"]


@pytest.mark.slow  # RSA keys are made
def test_nodes_get_keys_that_they_can_read(tmp_path: Path) -> None:
    topology, paths = lab(tmp_path, {})
    assert not keys.are_made(paths, topology)
    keys.ensure(paths, topology)
    assert keys.are_made(paths, topology)
    known = dict(line.split()[:2] for line in paths.known_hosts.read_text().splitlines())
    assert known == {
        "10.78.1.11,one": "ssh-rsa",
        "10.78.2.11,two": "ssh-rsa",
        "10.78.2.12,new": "ssh-ed25519",
    }
    one, new = (keys.of(paths, topology.by_name[name]) for name in ("one", "new"))
    assert one.host_private.startswith("-----BEGIN RSA PRIVATE KEY-----")  # not OpenSSH's own format
    assert (one.administrator.split()[0], new.administrator.split()[0]) == ("ssh-rsa", "ssh-ed25519")


def test_a_nodes_files_are_private_and_start_nothing_but_its_ssh_server() -> None:
    files = {file.path: file for file in node_seed.files(Keys("private", "public", "administrator"))}
    assert files["etc/ssh/authorized_keys"].content == "administrator"
    assert files["etc/ssh/ssh_host_rsa_key"].mode == 0o600
    assert "keygen" not in files["sbin/init-sshd"].content


OLD = re.compile(r"sha1|cbc|ssh-rsa|md5|group1\b|3des|arcfour")


def family_options() -> str:
    """What inventory/common tells Ansible of the family."""
    groups = yaml.safe_load((ROOT / "inventory/common/groups.yml").read_text())["all"]["children"]
    return str(groups["openmosix_nodes"]["vars"]["ansible_ssh_extra_args"])


def test_the_lab_and_the_family_name_the_same_algorithms(tmp_path: Path) -> None:
    words = [word for word in shlex.split(family_options()) if word != "-o"]
    assert dict(word.split("=") for word in words) == ssh.NODE_ALGORITHMS
    assert not any(value.startswith(("+", "^", "-")) for value in ssh.NODE_ALGORITHMS.values())


def test_old_algorithms_are_for_nodes_alone(tmp_path: Path) -> None:
    topology, paths = lab(tmp_path, BOTH)
    node, new = topology.by_name["one"], topology.by_name["new"]
    assert OLD.search(" ".join(ssh.options(topology, paths, node)))
    assert not OLD.search(" ".join(ssh.options(topology, paths, new)))
    # A newer machine that plays a node is in the family as well, whose variables it must not use.
    assert inventory.variables(topology, new)["ansible_ssh_extra_args"] == ""
    assert inventory.variables(topology, node)["lab_openmosix"] == "genuine"
    assert "lab_openmosix" not in inventory.variables(topology, new)


def test_the_labs_inventory_of_nodes_is_good() -> None:
    topology = load(ROOT / "inventory/openmosix-lab")
    members = [host.name for host in topology.hosts if "openmosix_tools" in host.groups]
    assert members == ["node-1", "node-2", "node-3"]
    assert {host.subnet.name for host in topology.hosts} == {"hq", "east", "west"}
    others = {subnet.network for subnet in load(ROOT / "inventory/lab").subnets}
    assert not {subnet.network for subnet in topology.subnets} & others
