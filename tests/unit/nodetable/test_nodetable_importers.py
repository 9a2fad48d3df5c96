# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools that exist already: their numbers stay, their hosts are found."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.nodetable import parse, plan, read_subnets, render
from eyrie.nodetable.importers import from_csv, from_hosts, from_map, host_names, subnets_of
from eyrie.nodetable.sources import from_file, from_inventory

OLD = b"# our pool\n1 10.77.0.1 50\n60 10.78.0.0 256\n51 10.77.0.51 9\n2 10.99.0.1 alias\n"


def test_a_table_in_use_keeps_all_its_numbers() -> None:
    state = from_map(OLD, "old.map")
    done = plan(read_subnets(subnets_of(state)), {}, state)
    assert done.effect.summary == "no change"
    assert render(done.table) == "1 10.77.0.1 50\n51 10.77.0.51 9\n60 10.78.0.0 256\n2 10.99.0.1 alias\n"
    assert not done.effect.diff
    deployed = {"node": parse(OLD)}
    more = read_subnets([*subnets_of(state), {"name": "new", "network": "10.80.0.0/24"}])
    assert plan(more, {}, state, deployed=deployed).effect.summary == "append only"


def test_the_subnets_of_a_table_may_get_names() -> None:
    state = from_map(b"1 10.77.0.1 254\n", "old.map")
    assert subnets_of(state) == (
        {"name": "10.77.0.1", "network": "10.77.0.0/24", "first": "10.77.0.1", "last": "10.77.0.254"},
    )
    done = plan(read_subnets([{"name": "office", "network": "10.77.0.0/24"}]), {}, state)
    assert done.effect.summary == "no change"


@pytest.mark.parametrize(
    "text", [b"", b"1 10.77.0.1\n", b"1 0.0.0.0 5\n", b"1 224.0.0.1 5\n", b"1 node-a 5\n"]
)
def test_a_table_that_cannot_work_is_not_taken_over(text: bytes) -> None:
    with pytest.raises(EyrieError, match=r"old\.map"):
        from_map(text, "old.map")


CSV = """name,address,subnet
n1,10.77.0.1,10.77.0.0/23
n2, 10.77.1.5 ,10.77.0.0/23

n3,10.90.3.4,
"""


def test_hosts_and_subnets_come_from_a_csv_file() -> None:
    pool = from_csv(CSV, "hosts.csv")
    assert pool.hosts == {"n1": "10.77.0.1", "n2": "10.77.1.5", "n3": "10.90.3.4"}
    assert [subnet["network"] for subnet in pool.subnets] == ["10.77.0.0/23", "10.90.3.0/24"]
    assert plan(read_subnets(pool.subnets), pool.hosts, None).table.number_of("10.90.3.4") == 514


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_csv_file_of_a_spreadsheet_is_read(end: str) -> None:
    text = "\ufeffAddress,Name,Room" + end + '10.77.0.1,"n, 1",B12' + end
    assert from_csv(text, "h").hosts == {"n, 1": "10.77.0.1"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "wanted the columns name,address"),
        ("n1,10.77.0.1\n", "wanted the columns name,address"),
        ("name,address\nn1,10.77.0\n", "h.csv line 2: address: found '10.77.0'"),
        ("name,address\nn1\n", "h.csv line 2: address: found ''"),
        ("name,address\n,10.77.0.1\n", "h.csv line 2: name: found ''"),
        ("name,address\nn1,10.77.0.1\nn1,10.77.0.2\n", "line 3: host n1: found '10.77.0.1 and 10.77.0.2'"),
        ("name,address,subnet\nn1,10.77.0.1,10.77.0.1/24\n", "h.csv line 2: subnet: found '10.77.0.1/24'"),
    ],
)
def test_a_bad_csv_file_is_refused(text: str, words: str) -> None:
    with pytest.raises(EyrieError) as refused:
        from_csv(text, "h.csv")
    assert words in str(refused.value)


HOSTS = """127.0.0.1 localhost
::1 localhost ip6
10.77.0.1  n1 n1.lan # the first
10.77.0.1  again
10.77.0.2\tN2
10.88.0.1  printer
# 10.77.0.3 gone
10.77.0.999 odd
10.77.0.4
"""


def test_hosts_come_from_a_hosts_file() -> None:
    pool = from_hosts(HOSTS, "/etc/hosts")
    assert pool.hosts == {"n1": "10.77.0.1", "N2": "10.77.0.2", "printer": "10.88.0.1"}
    assert [subnet["network"] for subnet in pool.subnets] == ["10.77.0.0/24", "10.88.0.0/24"]
    only = from_hosts(HOSTS, "/etc/hosts", [IPv4Network("10.77.0.0/16")])
    assert only.hosts == {"n1": "10.77.0.1", "N2": "10.77.0.2"}
    assert only.subnets == ({"name": "10.77.0.0", "network": "10.77.0.0/16"},)


def test_names_are_those_of_the_first_line_that_has_them() -> None:
    names = host_names(HOSTS + "10.1.1.1 n2 n5\n010.0.0.08 zeros\n0x0a.0.0.1 hex\n10.0.1 short\n")
    assert names["n2"] == "10.77.0.2"
    assert names["zeros"] == "10.0.0.8"  # decimal here, unlike in a map
    assert not {"hex", "short", "odd"} & names.keys()
    assert (names["n1.lan"], names["n5"], names["localhost"]) == ("10.77.0.1", "10.1.1.1", "127.0.0.1")


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    from_hosts(text, "hosts")
    for prefix in ("", "name,address,subnet\n"):
        try:
            from_csv(prefix + text, "h.csv")
        except EyrieError as error:
            assert "h.csv" in str(error)


LISTING: dict[str, Any] = {
    "_meta": {
        "hostvars": {
            "n1": {
                "ansible_host": "10.77.0.1",
                "openmosix_tools_subnets": [{"name": "o", "network": "10.77.0.0/24"}],
            },
            "n2": {
                "ansible_host": "192.0.2.1",
                "openmosix_tools_address": "10.77.0.2",
                "openmosix_tools_subnets": [{"name": "o", "network": "10.77.0.0/24"}],
            },
            "master": {},
        }
    },
    "openmosix_tools": {"children": ["bare", "virtual"]},
    "bare": {"hosts": ["n1"]},
    "virtual": {"hosts": ["n2"], "children": ["openmosix_tools"]},
}


def test_hosts_and_subnets_come_from_an_inventory() -> None:
    wanted = from_inventory(LISTING, Path("/pool"))
    assert wanted.hosts == {"n1": "10.77.0.1", "n2": "10.77.0.2"}
    assert [subnet.name for subnet in wanted.subnets] == ["o"]
    assert wanted.numbers == Path("/pool/openmosix-numbers.yml")


@pytest.mark.parametrize(
    ("host", "variables", "words"),
    [
        ("n1", {"openmosix_tools_subnets": []}, "openmosix_tools_subnets: found 'not the same on n1 and n2'"),
        ("n1", {"openmosix_tools_numbers_file": "/a"}, "openmosix_tools_numbers_file: found 'not the same"),
    ],
)
def test_what_differs_from_host_to_host_is_refused(host: str, variables: dict[str, Any], words: str) -> None:
    hostvars = LISTING["_meta"]["hostvars"]
    changed = {**hostvars, host: {**hostvars[host], **variables}}
    with pytest.raises(EyrieError) as refused:
        from_inventory({**LISTING, "_meta": {"hostvars": changed}}, Path("/pool"))
    assert words in str(refused.value)


def test_the_numbers_file_may_be_elsewhere() -> None:
    for given_path, path in (("{{ inventory_dir }}/../n.yml", "/pool/../n.yml"), ("/x/n.yml", "/x/n.yml")):
        hostvars = {
            name: {**value, "openmosix_tools_numbers_file": given_path}
            for name, value in LISTING["_meta"]["hostvars"].items()
        }
        assert (
            str(from_inventory({**LISTING, "_meta": {"hostvars": hostvars}}, Path("/pool")).numbers) == path
        )
    with pytest.raises(EyrieError, match="no host"):
        from_inventory({"_meta": {"hostvars": {}}}, Path("/pool"))


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "hosts: {}", "subnets: 5", "subnets: []", "subnets: [5]", "subnet: []"]
)
def test_a_bad_plan_file_is_refused(text: str) -> None:
    with pytest.raises(EyrieError):
        from_file(text, Path("pool.yml"))
