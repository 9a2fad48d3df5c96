# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie network` as it is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from eyrie.cli.network import app
from eyrie.errors import EyrieError

POOL = """
mode: ipip
subnets: [{name: hq, network: 10.50.1.0/24}]
hosts: {master: {address: 10.50.1.10, gateway: true}, desk-1: 10.50.1.21, desk-2: 10.50.1.22}
"""


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    path = tmp_path / "pool.yml"
    path.write_text(POOL)
    return path


def call(*words: object) -> str:
    done = CliRunner().invoke(
        app, [str(word) for word in words], catch_exceptions=False, env={"COLUMNS": "200"}
    )
    assert done.exit_code == 0, done.output
    return done.output


def test_a_new_pool_gets_its_addresses_when_asked_and_keeps_them(pool: Path) -> None:
    with pytest.raises(EyrieError, match="no such file"):
        call("plan", pool)
    assert "10.88.0.21" in call("plan", pool, "--new")
    assert not (pool.parent / "pool-addresses.yml").exists()
    call("plan", pool, "--new", "--write")
    pool.write_text(POOL.replace("desk-1: 10.50.1.21", "desk-1: 10.50.1.99"))
    said = call("plan", pool)
    assert "10.88.0.21" in said and "10.88.0.99" not in said


def test_it_says_which_hosts_change(pool: Path) -> None:
    call("plan", pool, "--new", "--write")
    other = pool.with_name("other.yml")
    other.write_text(POOL.replace("ipip", "wireguard"))
    said = call("plan", other, "--before", pool)
    assert "3 of 3 hosts change" in said
    assert "desk-1: mode ipip becomes wireguard, device eyrie-ipip becomes eyrie-wg" in said


def test_explain_and_diagram(pool: Path) -> None:
    assert "MTU 1480" in call("explain", "desk-1", "--file", pool)
    assert "outer header 10.50.1.21 to 10.50.1.22 (desk-2)" in call(
        "explain", "desk-1", "desk-2", "--file", pool
    )
    assert "desk-2" in call("diagram", pool)
    picture = pool.with_name("pool.svg")
    call("diagram", pool, "-o", picture)
    assert picture.read_text().startswith("<svg")
    with pytest.raises(EyrieError, match="host desk-3"):
        call("explain", "desk-3", "--file", pool)
    with pytest.raises(EyrieError, match="neither"):
        call("plan")
