# SPDX-License-Identifier: GPL-3.0-or-later
"""The wanted network from a plan file, and from what an inventory lists."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from eyrie.errors import EyrieError
from eyrie.networks import Host, Wanted
from eyrie.networks.sources import from_file, from_listing

SUBNETS = [{"name": "hq", "network": "10.50.1.0/24"}]
FILE = {
    "mode": "ipip",
    "subnets": SUBNETS,
    "hosts": {"a": "10.50.1.11", "m": {"address": "10.50.1.10", "gateway": True}},
}


def read(**more: Any) -> Wanted:
    return from_file(yaml.safe_dump({**FILE, **more}), "pool.yml")


def test_a_plan_file() -> None:
    wanted = read(
        reserved=[{"name": "VPN", "network": "10.8.0.0/24"}], topology="star", private="10.9.0.0/16"
    )
    assert wanted.hosts == (Host("a", 0x0A32010B), Host("m", 0x0A32010A, gateway=True))
    assert (wanted.mode, wanted.topology, str(wanted.private)) == ("ipip", "star", "10.9.0.0/16")
    assert (wanted.reserved[0].name, wanted.sites[0].mtu, wanted.fou) == ("VPN", 1500, False)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"mode": "vlan"}, "pool.yml: mode: found 'vlan', wanted one of outbound, hub, shadow"),
        ({"topology": "ring"}, "pool.yml: topology: found 'ring'"),
        ({"fou": "maybe"}, "found 'maybe', wanted true or false"),
        ({"private": "10.9"}, "pool.yml: private: found '10.9'"),
        ({"modus": "ipip"}, "pool.yml: found"),
        ({"subnets": [{"name": "hq"}]}, "pool.yml: subnet"),
        ({"subnets": [{**SUBNETS[0], "mtu": "jumbo"}]}, "subnet hq: mtu: found 'jumbo'"),
        ({"subnets": {}}, "pool.yml: subnets: found {}, wanted a list"),
        ({"hosts": {"a": "10.50.1"}}, "host a: address: found '10.50.1'"),
        ({"hosts": {"a": {"address": "10.50.1.1", "kind": "toaster"}}}, "host a: kind: found 'toaster'"),
        ({"hosts": {"a": {"adress": "10.50.1.1"}}}, "host a: found"),
        ({"reserved": ["10.0.0.0/8"]}, "wanted a mapping"),
    ],
)
def test_what_a_file_may_not_say(more: dict[str, Any], said: str) -> None:
    with pytest.raises(EyrieError) as error:
        read(**more)
    assert said in str(error.value)


def listing(**hostvars: dict[str, Any]) -> dict[str, Any]:
    common = {
        "pool_network_mode": "wireguard",
        "pool_network_subnets": SUBNETS,
        "pool_network_topology": "auto",
    }
    return {
        "_meta": {"hostvars": {name: {**common, **variables} for name, variables in hostvars.items()}},
        "pool_network": {"hosts": list(hostvars)},
        "masters": {"hosts": ["m"]},
        "openmosix_nodes": {"children": ["odd"]},
        "odd": {"hosts": ["n"]},
    }


def test_an_inventory() -> None:
    wanted = from_listing(
        listing(
            m={"ansible_host": "10.50.1.10"},
            n={"ansible_host": "192.0.2.1", "pool_network_address": "10.50.1.20"},
            d={"ansible_host": "10.50.1.30", "pool_network_nat": True},
        )
    )
    assert wanted.hosts == (
        Host("d", 0x0A32011E, nat=True),
        Host("m", 0x0A32010A, gateway=True),
        Host("n", 0x0A320114, "openmosix"),
    )
    assert (wanted.mode, wanted.topology, str(wanted.private)) == ("wireguard", None, "10.88.0.0/16")


def test_a_variable_of_the_pool_must_be_one() -> None:
    with pytest.raises(EyrieError, match="pool_network_mode: found 'not the same on a and b'"):
        from_listing(listing(a={"ansible_host": "10.50.1.1"}, b={"pool_network_mode": "ipip"}))
    with pytest.raises(EyrieError, match="group pool_network: found 'no host'"):
        from_listing({})
