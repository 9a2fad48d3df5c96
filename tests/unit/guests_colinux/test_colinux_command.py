# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie colinux` as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eyrie.cli.colinux import app
from eyrie.errors import EyrieError
from eyrie.guests.colinux.sources import from_listing, read
from eyrie.hub.guard import guest_mac
from eyrie.nodetable import parse, plan
from eyrie.nodetable.state import write
from eyrie.nodetable.subnets import read_subnets
from tests.unit.guests_colinux.colinux_guests import AT, XML

POOL = r"""
pool: lab
desktops:
  desk-1.example.org:
    adapter: Intel(R) PRO/100
    address: 10.77.0.21/24
    gateway: 10.77.0.1
    master: 10.77.0.10
    memory_mib: 256
  desk-2: {release: 0.7.9, adapter: LAN1, folder: 'D:\coLinux', address: 10.77.0.22/24, network: ndis}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("pool.yml").write_text(POOL)
    return tmp_path


def call(*words: object, status: int = 0) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.output


def test_config_writes_what_check_takes() -> None:
    told = call("config", "desk-1", "--file", "pool.yml")
    mac = guest_mac("lab", "desk-1")
    assert told == (
        "<colinux>\n"
        '    <block_device index="0" path="\\DosDevices\\C:\\coLinux\\root_fs" enabled="true" />\n'
        "    <bootparams>root=/dev/cobd0 ro eyrie_pool=lab eyrie_name=desk-1 eyrie_address=10.77.0.21/24"
        " eyrie_gateway=10.77.0.1 eyrie_master=10.77.0.10</bootparams>\n"
        '    <image path="C:\\coLinux\\vmlinux" />\n'
        '    <memory size="256" />\n'
        f'    <network index="0" type="bridged" name="Intel(R) PRO/100" mac="{mac}" />\n'
        "</colinux>\n"
    )
    call("config", "desk-1.example.org", "desk-2", "--file", "pool.yml", "-o", "out")
    assert Path("out/desk-1.xml").read_bytes() == told.encode()
    assert (
        f'eth0=ndis-bridge,"LAN1",{guest_mac("lab", "desk-2")}\n'.replace('"', "")
        in Path("out/desk-2.conf").read_text()
    )
    assert call("check", "out/desk-1.xml", "out/desk-2.conf") == (
        "out/desk-1.xml: ok for coLinux 0.6.1\nout/desk-2.conf: ok for coLinux 0.7.9\n"
    )


def test_the_openmosix_number_is_that_of_the_guests_address() -> None:
    subnets = read_subnets([{"name": "hq", "network": "10.77.0.0/24"}])
    write(Path("openmosix-numbers.yml"), plan(subnets, {}, None, new=True).state)
    assert " eyrie_node=21 " in call("config", "desk-1", "--file", "pool.yml")
    Path("pool.yml").write_text(POOL.replace("10.77.0.", "10.78.0."))
    with pytest.raises(EyrieError, match="one of a range of the node table"):
        call("config", "desk-2", "--file", "pool.yml")
    with pytest.raises(EyrieError, match=r"other\.yml"):
        call("config", "desk-2", "--file", "pool.yml", "--numbers", "other.yml")


def test_check_tells_all_that_is_wrong_and_fails() -> None:
    Path("a.xml").write_bytes(XML.replace(b"128", b"1024").replace(b"02:00:5E:10:00:01", b""))
    Path("b.conf").write_bytes(AT)
    told = call("check", "a.xml", "b.conf", status=1).splitlines()
    assert told[0].startswith("a.xml: refused: memory: found 1024")
    assert told[1].startswith("a.xml: refused: eth0: MAC address: found 'no MAC address'")
    assert told[2:] == ["b.conf: ok for coLinux 0.7.9"]
    rows = json.loads(call("check", "a.xml", "b.conf", "--json", status=1))
    assert [(row["source"], row["accepted"], len(row["faults"])) for row in rows] == [
        ("a.xml", False, 2),
        ("b.conf", True, 0),
    ]
    assert "which 0.7.1 brought" in call("check", "b.conf", "--release", "0.6.4", status=1)
    with pytest.raises(EyrieError, match=r"nothing\.xml"):
        call("check", "nothing.xml")


def test_check_of_one_desktops_guests_refuses_a_shared_image() -> None:
    Path("a.conf").write_bytes(AT)
    Path("b.conf").write_bytes(
        AT.replace(b"02:00:5E:10:00:0", b"02:00:5E:10:01:0").replace(b"5e:10", b"5e:11")
    )
    assert "refused" not in call("check", "a.conf", "b.conf")
    assert "one desktop: refused: image" in call("check", "a.conf", "b.conf", "--same-desktop", status=1)
    rows = json.loads(call("check", "a.conf", "b.conf", "--same-desktop", "--json", status=1))
    assert rows[-1]["source"] == "one desktop"


REFUSED = {
    "an unknown key": ({"a": {"adaptor": "x"}}, "found ['adaptor']"),
    "an unknown release": ({"a": {"release": "0.5.0"}}, "release of coLinux"),
    "a folder with a blank": ({"a": {"folder": r"C:\co Linux"}}, "0.7.8 and 0.7.9 lose quotes"),
    "an unknown network": ({"a": {"network": "bridged"}}, "network of desktop a"),
    "an image elsewhere": ({"a": {"image": r"..\root"}}, "a name in its folder"),
    "a memory that is none": ({"a": {"memory_mib": "lots"}}, "memory_mib of desktop a"),
    "an address without a length": ({"a": {"address": "10.77.0.21"}}, "no length of the network"),
    "a gateway elsewhere": ({"a": {"address": "10.77.0.21/24", "gateway": "10.78.0.1"}}, "own network"),
    "two of one name": ({"a.x": {}, "a.y": {}}, "MAC address"),
    "one MAC address twice": ({"a": {"mac": "02:0"}, "b": {"mac": "02:0"}}, "MAC address 02:0: found 'a, b'"),
    "one address twice": (
        {"a": {"address": "10.77.0.21/24"}, "b": {"address": "10.77.0.21/24"}},
        "guest's address 10.77.0.21: found 'a, b'",
    ),
}


@pytest.mark.parametrize(("desktops", "told"), REFUSED.values(), ids=REFUSED)
def test_a_pool_that_cannot_be_is_refused(desktops: dict[str, dict[str, str]], told: str) -> None:
    with pytest.raises(EyrieError) as refused:
        read("lab", desktops, None)
    assert told in str(refused.value)


def test_a_desktop_whose_guest_cannot_be_is_named() -> None:
    Path("pool.yml").write_text("pool: lab\ndesktops: {a: {adapter: ''}}\n")
    with pytest.raises(EyrieError, match=r"desktop a: eth0: name of the adapter"):
        call("config", "a", "--file", "pool.yml")
    with pytest.raises(EyrieError, match="desktop b: found 'not in the pool'"):
        call("config", "b", "--file", "pool.yml")
    with pytest.raises(EyrieError, match="--output DIR for several"):
        call("config", "a", "b", "--file", "pool.yml")
    with pytest.raises(EyrieError, match="neither"):
        call("config", "a")
    for text, told in (
        ("- a", "found 'list'"),
        ("pool: lab", r"found \['pool'\]"),
        ("pool: lab\ndesktops: []", "desktops"),
        ("{", "no YAML"),
    ):
        Path("pool.yml").write_text(text)
        with pytest.raises(EyrieError, match=rf"pool\.yml.*{told}"):
            call("config", "a", "--file", "pool.yml")


def test_an_inventorys_variables_are_read() -> None:
    listing = {
        "colinux": {"children": ["old"]},
        "old": {"hosts": ["desk-1"]},
        "_meta": {
            "hostvars": {
                "desk-1": {
                    "colinux_pool_name": "lab",
                    "colinux_adapter": "Intel",
                    "ansible_host": "10.50.0.9",
                }
            }
        },
    }
    (desktop,) = from_listing(listing, parse("1 10.77.0.1 8\n"))
    assert (desktop.name, desktop.guest.cards[0].name) == ("desk-1", "Intel")
    assert desktop.guest.cards[0].mac == guest_mac("lab", "desk-1")
    with pytest.raises(EyrieError, match="group colinux"):
        from_listing({}, None)
    with pytest.raises(EyrieError, match="colinux_pool_name"):
        from_listing({"colinux": {"hosts": ["a"]}}, None)


@pytest.mark.slow  # Ansible reads the inventory
def test_config_reads_an_inventory_and_the_numbers_beside_it(place: Path) -> None:
    inventory = place / "inventory"
    inventory.mkdir()
    (inventory / "hosts.yml").write_text(
        "colinux:\n  hosts: {desk-1: {colinux_adapter: Intel, colinux_address: 10.77.0.21/24}}\n"
        "  vars: {colinux_pool_name: lab}\n"
    )
    subnets = read_subnets([{"name": "hq", "network": "10.77.0.0/24"}])
    write(inventory / "openmosix-numbers.yml", plan(subnets, {}, None, new=True).state)
    for given in (inventory, inventory / "hosts.yml"):
        assert "eyrie_pool=lab eyrie_name=desk-1 eyrie_address=10.77.0.21/24 eyrie_node=21<" in call(
            "config", "desk-1", "-i", given
        )
