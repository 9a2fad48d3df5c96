# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from recordings import DATA, facts, text

from eyrie.errors import EyrieError
from eyrie.nodetable import parse as parse_table
from eyrie.nodetable import render
from eyrie.openmosix.boot import wanted
from eyrie.openmosix.facts import Away, Guest, NodeFacts, numbers, spans
from eyrie.openmosix.read import kernel_table, parse, read_script


def test_idle_node_tells_what_it_is() -> None:
    node = facts("idle")
    assert (node.release, node.build) == ("2.4.26-om", "#2 SMP Sun Aug 15 21:24:00 EST 2004")
    assert node.openmosix == "openMosix Version 1.8.1"
    assert node.tools.startswith("sha256 ")
    assert (node.number, node.own_address, node.up) == (1, "10.77.0.1", {1, 2})
    assert node.table is not None and render(node.table) == "1 10.77.0.1 8\n" == node.map_text
    assert node.enabled and node.empty and not node.blocked and not node.staying and node.load == 29


def test_processes_that_are_away_and_guests() -> None:
    assert facts("home").away == (Away(901, 2), Away(905, 2))
    assert facts("host").guests == (Guest(177, 1, 901, "ash"), Guest(178, 1, 905, "ash"))
    assert not facts("host").empty


def test_drained_node_is_blocked_and_still_up_for_its_peer() -> None:
    assert facts("drained").blocked and facts("drained").staying and facts("drained").empty
    peer = facts("peer-drained")
    assert 2 in peer.up and peer.peers[1].status == 27


def test_node_that_is_off() -> None:
    node = facts("off")
    assert (node.number, node.enabled, node.table, node.map_text, node.map_md5) == (
        0,
        False,
        None,
        None,
        None,
    )
    assert facts("peer-off").up == {2}


def test_kernel_table_with_ranges_and_alias() -> None:
    table = facts("alias").table
    assert table is not None
    assert render(table) == "1 10.77.0.1 8\n20 10.77.1.7 3\n1 192.168.7.1 alias\n"


def test_table_of_setpe_has_names_instead_of_addresses() -> None:
    hosts = ["127.0.0.1 localhost", "10.77.0.1   chaos-a4d0001   # eth0"]
    table = kernel_table(text("setpe-r").splitlines(), hosts)
    assert table == parse_table("1 10.77.0.1 8\n")


def test_boot_script_and_firewall_are_told() -> None:
    node = facts("ready")
    assert (node.firewall, node.run_levels, node.links) == ("open", None, ())
    assert node.init_md5 == wanted(["10.77.0.0/24"], True, None).md5


def test_host_without_openmosix() -> None:
    node = parse(
        "eyrie-node=1\nrelease=6.1.0\nbuild=#1 SMP\nname=a\nhosts=127.0.0.1 localhost\neyrie-end=1\n"
    )
    assert (node.openmosix, node.tools, node.number, node.own_address) == ("", "", 0, None)


@pytest.mark.parametrize("cut", [0, 40, 400, 900])
def test_torn_answer_is_refused(cut: int) -> None:
    with pytest.raises(EyrieError, match="eyrie-end=1"):
        parse(text("idle")[:cut])


def test_line_ends_of_a_terminal_do_no_harm() -> None:
    assert parse(text("host").replace("\n", "\r\n")) == facts("host")


def test_script_reads_only_the_peers_asked_for() -> None:
    assert read_script().startswith("peers=''\n")
    assert read_script([3, 5]).startswith("peers='3 5'\n")


@pytest.mark.parametrize("shell", ["dash", "busybox sh"])
def test_script_is_sound_where_there_is_no_openmosix(shell: str) -> None:
    try:
        done = subprocess.run(
            [*shell.split(), "-c", read_script()], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip(f"no {shell} here")
    assert done.returncode == 0, done.stderr
    assert parse(done.stdout).openmosix == ""


def test_script_never_waits_for_its_input(tmp_path: Path) -> None:
    """A kernel with /proc/hpc, and no process that has `where`; ssh holds the input open."""
    (tmp_path / "hpc/admin").mkdir(parents=True)
    (tmp_path / "hpc/admin/mospe").write_text("0\n")
    script = read_script().replace("/proc", str(tmp_path))
    with subprocess.Popen(
        ["dash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as shell:
        try:
            assert shell.wait(20) == 0
        finally:
            shell.kill()
        assert shell.stdout is not None
        output = shell.stdout.read()
    assert not parse(output).enabled


@pytest.mark.parametrize("name", sorted(path.stem for path in DATA.glob("*.txt") if path.stem != "setpe-r"))
def test_facts_survive_being_registered(name: str) -> None:
    assert NodeFacts.from_dict(facts(name).as_dict()) == facts(name)


def test_spans() -> None:
    assert spans({7, 1, 3, 2}) == "1-3,7"
    assert numbers("1-3,7") == {1, 2, 3, 7}
    assert numbers(spans(())) == frozenset()
