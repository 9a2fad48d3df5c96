# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from eyrie.cli.inventory import app
from eyrie.errors import EyrieError
from eyrie.inventory.importer import group_name, read, render

GOOD = """name,address,mac,subnet,user
pc-2,10.77.2.22,,10.77.2.0/24,
PC-1.example.org,10.77.2.21,00-1A-2b-3c-4d-5e,10.77.2.0/24,EXAMPLE\\admin
pc-3,10.77.3.2,,10.77.3.0/24,
"""


def test_desktops_come_in_a_group_for_each_subnet() -> None:
    made = yaml.safe_load(render(read(GOOD.encode(), "list.csv")))
    assert made == {
        "windows_10_77_2_0_24": {
            "hosts": {
                "pc-1.example.org": {
                    "ansible_host": "10.77.2.21",
                    "mac_address": "00:1a:2b:3c:4d:5e",
                    "ansible_user": "EXAMPLE\\admin",
                },
                "pc-2": {"ansible_host": "10.77.2.22"},
            }
        },
        "windows_10_77_3_0_24": {"hosts": {"pc-3": {"ansible_host": "10.77.3.2"}}},
        "windows_desktops": {"children": {"windows_10_77_2_0_24": None, "windows_10_77_3_0_24": None}},
        "windows_agent": {"children": {"windows_10_77_2_0_24": None, "windows_10_77_3_0_24": None}},
    }


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.encode("utf-16"),
        GOOD.replace("name,address", " Name , ADDRESS").encode(),
        (GOOD + "\n,,,,\n\n").encode(),
    ],
)
def test_what_spreadsheets_write_is_read(data: bytes) -> None:
    assert render(read(data, "x")) == render(read(GOOD.encode(), "x"))


@pytest.mark.parametrize(
    "line, words",
    [
        ("pc-2,10.77.2.30,,10.77.2.0/24,", "line 5: name: found 'pc-2, as in line 2'"),
        ("pc-1,10.77.2.30,,10.77.2.0/24,", "line 5: name: found 'pc-1, as in line 3'"),
        ("pc-4,10.77.2.22,,10.77.2.0/24,", "line 5: address: found '10.77.2.22, as in line 2'"),
        (
            "pc-4,10.77.2.30,001a.2b3c.4d5e,10.77.2.0/24,",
            "mac: found '00:1a:2b:3c:4d:5e, as in line 3'",
        ),
        ("pc_4,10.77.2.30,,10.77.2.0/24,", "line 5: name"),
        ("slot1,10.77.2.30,,10.77.2.0/24,", "line 5: name"),
        ("pc-4,10.77.2.300,,10.77.2.0/24,", "line 5: address"),
        ("pc-4,10.77.9.30,,10.77.2.0/24,", "the address of a host in 10.77.2.0/24"),
        ("pc-4,10.77.2.0,,10.77.2.0/24,", "line 5: address"),
        ("pc-4,10.77.2.255,,10.77.2.0/24,", "line 5: address"),
        ("pc-4,10.77.2.30,,10.77.2.0,", "line 5: subnet"),
        ("pc-4,10.77.2.30,,10.77.2.1/24,", "line 5: subnet"),
        ("pc-4,10.77.2.30,01:00:5e:00:00:01,10.77.2.0/24,", "line 5: mac"),
        ("pc-4,10.77.2.30,00:00,10.77.2.0/24,", "line 5: mac"),
        ('pc-4,10.77.2.30,,10.77.2.0/24,"{{ x }}"', "line 5: user"),
        ("pc-4,10.77.2.30,,10.77.2.0/24,,more", "line 5"),
        (",10.77.2.30,,10.77.2.0/24,", "line 5: name"),
    ],
)
def test_a_fault_is_named_with_its_line(line: str, words: str) -> None:
    with pytest.raises(EyrieError) as raised:
        read((GOOD + line + "\n").encode(), "list.csv")
    assert words in str(raised.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(EyrieError) as raised:
        read((GOOD + "pc-2,10.77.2.22,,10.77.2.0/24,\nx_,1,,2,\n").encode(), "l")
    assert all(
        words in str(raised.value) for words in ("3 faults", "line 5: name", "line 5: address", "line 6")
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "name,address\na,b\n",
        "name,name,address,subnet\n",
        "name,address,subnet,colour\n",
        GOOD[:30],
    ],
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(EyrieError):
        read(text.encode(), "l")


def test_other_encodings_are_named() -> None:
    with pytest.raises(EyrieError, match="UTF-8"):
        read("name,address,subnet\nbüro,10.0.0.1,10.0.0.0/24\n".encode("latin-1"), "l")


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_refused(data: bytes) -> None:
    try:
        yaml.safe_load(render(read(data, "l")))
    except EyrieError:
        return


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_groups_are_names_and_differ(prefix: int, number: int) -> None:
    one = IPv4Network((number, prefix), strict=False)
    other = IPv4Network((number, prefix + 1), strict=False)
    assert group_name(one) != group_name(other) and group_name(one).replace("_", "").isalnum()


def test_the_command_writes_and_prints(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(GOOD)
    printed = CliRunner().invoke(app, ["import", str(tmp_path / "list.csv")])
    assert printed.exit_code == 0 and "windows_10_77_3_0_24" in printed.output
    done = CliRunner().invoke(
        app, ["import", str(tmp_path / "list.csv"), "--output", str(tmp_path / "w.yml")]
    )
    assert "3 desktops" in done.output and (tmp_path / "w.yml").read_text() == printed.output
