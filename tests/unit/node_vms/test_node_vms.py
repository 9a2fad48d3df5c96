# SPDX-License-Identifier: GPL-3.0-or-later
"""What a master's wished nodes become, and what is refused before anything is touched."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from eyrie.artefacts import catalogue
from eyrie.errors import EyrieError
from eyrie.inventory.variables import faults
from eyrie.node_vms.files import node_files
from eyrie.node_vms.host_key import host_key
from eyrie.node_vms.model import node_vms
from eyrie.node_vms.sources import source

NET = "10.77.5.0/24"
ONE = {"name": "node-1", "address": "10.77.5.11"}


def test_what_is_left_open_follows_from_name_and_address() -> None:
    (vm,) = node_vms([ONE], NET, "10.77.5.1", "SHELL=1 SSHD=1")
    assert (vm.memory_mib, len(vm.tap) <= 15, vm.mac[:9]) == (128, True, "52:54:00:")
    assert vm.append == (
        "root=/dev/ram0 rw init=/sbin/init panic=10 ip=10.77.5.11::10.77.5.1:255.255.255.0:node-1::none"
        " SHELL=1 SSHD=1"
    )
    assert node_vms([ONE], NET, "10.77.5.1", "SHELL=1 SSHD=1") == (vm,)
    (other,) = node_vms([{**ONE, "mac": "52:54:00:AA:00:01", "memory_mib": 64}], NET)
    assert (other.mac, other.memory_mib) == ("52:54:00:aa:00:01", 64)
    assert "ip=10.77.5.11:::255" in other.append


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        ("node-1", "a list of nodes"),
        ([{"name": "a"}], "a mapping of name and address"),
        ([{**ONE, "adress": 1}], "a mapping of name and address"),
        ([{**ONE, "name": "a/b"}], "small letters"),
        ([{**ONE, "name": "-a"}], "small letters"),
        ([{**ONE, "address": "10.77.6.11"}], "an address of a host in 10.77.5.0/24"),
        ([{**ONE, "address": "10.77.5.255"}], "an address of a host"),
        ([{**ONE, "address": "node"}], "an IPv4 address in"),
        ([{**ONE, "address": "10.77.5.1"}], "an address that no node has"),
        ([{**ONE, "mac": "01:00:5e:00:00:01"}], "a hardware address"),
        ([{**ONE, "memory_mib": 2048}], "48 to 896"),
        ([{**ONE, "memory_mib": True}], "48 to 896"),
        ([ONE, {**ONE, "address": "10.77.5.12"}], "name: found 'node-1', wanted each once"),
        ([ONE, {**ONE, "name": "node-2"}], "address: found '10.77.5.11', wanted each once"),
        (
            [
                {**ONE, "mac": "52:54:00:00:00:01"},
                {"name": "b", "address": "10.77.5.12", "mac": "52:54:00:00:00:01"},
            ],
            "mac: found",
        ),
    ],
)
def test_nodes_that_cannot_be_are_refused(nodes: Any, sentence: str) -> None:
    with pytest.raises(EyrieError, match=sentence):
        node_vms(nodes, NET, "10.77.5.1")


@pytest.mark.parametrize(
    ("network", "gateway", "options", "sentence"),
    [
        ("10.77.5.0", "", "", "of 4 to 16777216"),
        ("10.77.5.1/24", "", "", "an IPv4 network"),
        ("224.0.0.0/8", "", "", "unicast"),
        (NET, "10.78.0.1", "", "openmosix_vm_gateway"),
        (NET, "", 'X="1"', "openmosix_vm_init_options"),
        (NET, "", "X=" + "1" * 200, "255 bytes at most"),
    ],
)
def test_networks_and_options_that_cannot_be_are_refused(
    network: str, gateway: str, options: str, sentence: str
) -> None:
    with pytest.raises(EyrieError, match=sentence):
        node_vms([ONE], network, gateway, options)


def test_the_inventorys_check_knows_the_nodes_rules() -> None:
    good = {"openmosix_vm_nodes": [ONE], "openmosix_vm_network": NET, "openmosix_vm_init_options": ["A=1"]}
    assert faults(good) == []
    assert [str(each) for each in faults({**good, "openmosix_vm_nodes": [ONE, ONE]})] == [
        "openmosix_vm_nodes: name: found 'node-1', wanted each once. Next: correct it in the inventory"
    ]
    assert len(faults({**good, "openmosix_vm_bridge_address": "10.77.5.1"})) == 1
    assert faults({**good, "openmosix_vm_bridge_address": "10.77.5.1/24"}) == []
    assert len(faults({**good, "openmosix_vm_bridge": "longer-than-linux"})) == 1


def test_a_nodes_files_name_it_and_keep_its_key_to_itself() -> None:
    (vm,) = node_vms([ONE], NET)
    files = {
        file.path: file for file in node_files(vm, b"private", ["ssh-rsa A\n", "ssh-rsa B"], "1 a 1\n\n")
    }
    assert files["/etc/eyrie-node"].data == b"node-1 10.77.5.11\n"
    assert files["/etc/ssh/ssh_host_rsa_key"].data == b"private"
    assert files["/etc/ssh/ssh_host_rsa_key"].mode == 0o600
    assert files["/etc/ssh/authorized_keys"].data == b"ssh-rsa A\nssh-rsa B\n"
    assert files["/etc/openmosix.map"].data == b"1 a 1\n"
    assert "/etc/openmosix.map" not in {file.path for file in node_files(vm, b"", [])}


@pytest.mark.slow  # RSA keys are made
def test_a_host_key_is_made_once_and_stays(tmp_path: Path) -> None:
    folder = tmp_path / "secrets" / "nodes"
    private, public = host_key(folder, "node-1")
    assert host_key(folder, "node-1") == (private, public)
    assert private.startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert public.startswith("ssh-rsa ") and len(public.split()) == 2
    assert (folder / "node-1.rsa").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"
    (folder / "node-1.rsa").write_text("$ANSIBLE_VAULT;1.1;AES256\n")
    with pytest.raises(EyrieError, match="an RSA key in PEM form"):
        host_key(folder, "node-1")


def test_a_file_is_used_only_with_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "kernel"
    file.write_bytes(b"k")
    right = hashlib.sha256(b"k").hexdigest()
    assert source("v", str(file), right) == file
    for sha256, sentence in (("", "the SHA-256 that"), ("x", "64 small hex digits"), ("0" * 64, right)):
        with pytest.raises(EyrieError, match=sentence):
            source("v", str(file), sha256)
    with pytest.raises(EyrieError, match="No such file"):
        source("v", str(tmp_path / "none"), right)
    monkeypatch.setenv("EYRIE_DEPOT", str(tmp_path / "depot"))
    with pytest.raises(EyrieError, match="eyrie depot add FILE"):
        source("v", "chaos_kernel", "")
    assert "chaos_kernel" in catalogue.load()
