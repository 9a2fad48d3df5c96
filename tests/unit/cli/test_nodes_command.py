# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie nodes`: what an administrator types, and what is printed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eyrie.cli.nodes import app
from eyrie.errors import EyrieError

POOL = """subnets:
- {name: office, network: 10.77.0.0/24}
- {name: lab, network: 10.78.0.0/24, last: 10.78.0.50}
hosts: {n1: 10.77.0.1, n2: 10.78.0.2}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("ok.map", "1 10.77.0.1 5\n"),
        ("edge.map", "1 10.77.0.0 5\n"),
        ("name.map", "1 node-a 5\n"),
        ("bad.map", "1 10.77.0.1\n"),
        ("pool.yml", POOL),
        ("hosts", "10.77.0.9 node-a\n"),
    ):
        (tmp_path / name).write_text(text)
    return tmp_path


def nodes(*words: str, status: int = 0, given: bytes = b"") -> str:
    """Run the command; its output."""
    done = CliRunner().invoke(app, words, input=given)
    if isinstance(done.exception, EyrieError):
        raise done.exception
    assert done.exit_code == status, done.output
    return done.stdout


def test_check_prints_one_line_a_map_and_goes_on_after_a_bad_one() -> None:
    assert nodes("check", "ok.map", "-", given=b"1 10.77.0.1 5") == "ok.map: ok\n-: ok\n"
    told = nodes("check", "bad.map", "none.map", ".", "name.map", "ok.map", status=1).splitlines()
    assert told == [
        "bad.map: refused: Bad Table Input: <1 10.77.0.1> (bad.map line 1: 1 10.77.0.1; "
        "wanted NUMBER ADDRESS COUNT, or NUMBER ADDRESS alias)",
        "none.map: refused: cannot be read: No such file or directory",
        ".: refused: cannot be read: Is a directory",
        "name.map: refused: node-a: Unknown host (name.map line 1: node-a; "
        "names are looked up only with --hosts or --resolve)",
        "ok.map: ok",
    ]


def test_check_judges_for_the_own_address() -> None:
    assert nodes("check", "--own", "10.77.0.5", "ok.map") == "ok.map: ok\n"
    assert "my IP address (10.77.0.6) is not there!" in nodes(
        "check", "--own", "10.77.0.6", "ok.map", status=1
    )
    with pytest.raises(EyrieError, match="the own address: found 'n1'"):
        nodes("check", "--own", "n1", "ok.map")


def test_strict_refuses_what_cannot_work() -> None:
    assert nodes("check", "edge.map") == "edge.map: ok\n"
    assert "found '10.77.0.0'" in nodes("check", "--strict", "edge.map", status=1)
    assert nodes("check", "--strict", "--network", "10.76.0.0/15", "edge.map") == "edge.map: ok\n"
    assert "10.76.0.0/24" in nodes("check", "--strict", "--network", "10.76.0.0/24", "ok.map", status=1)
    with pytest.raises(EyrieError, match="--network"):
        nodes("check", "--network", "10.77.0.1/24", "ok.map")


def test_names_are_looked_up_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert nodes("check", "--hosts", "hosts", "--own", "10.77.0.9", "name.map") == "name.map: ok\n"
    asked: list[str] = []

    def answer(name: str) -> str:
        asked.append(name)
        return "10.77.0.8"

    monkeypatch.setattr("eyrie.cli.nodes_input.socket.gethostbyname", answer)
    assert "refused" in nodes("check", "name.map", status=1)
    assert asked == []
    assert nodes("check", "--resolve", "--own", "10.77.0.8", "name.map") == "name.map: ok\n"
    assert (
        nodes("check", "--resolve", "--hosts", "hosts", "--own", "10.77.0.9", "name.map") == "name.map: ok\n"
    )
    assert asked == ["node-a"]
    Path("hex.map").write_text("1 0x0a.1 1\n")  # inet_addr's business, not the resolver's
    assert nodes("check", "--resolve", "--own", "1.0.0.10", "hex.map") == "hex.map: ok\n"
    assert asked == ["node-a"]


def test_json_says_the_same() -> None:
    ok, bad = json.loads(nodes("check", "--json", "ok.map", "bad.map", status=1))
    assert (ok["map"], ok["accepted"], ok["reason"]) == ("ok.map", True, "")
    assert (bad["line"], bad["value"], bad["message"]) == (
        1,
        "1 10.77.0.1",
        "Bad Table Input: <1 10.77.0.1>\n",
    )


def test_any_name_and_any_bytes_are_printed(place: Path) -> None:
    odd = bytes(place) + b"/\xff\x1b[2J.map"
    with open(odd, "wb") as file:  # noqa: PTH123 - a Path cannot be made of these bytes
        file.write(b"\xff\x1b]0;x\x07 \xc3\xa9\n")
    program = "import sys; sys.argv[0] = 'eyrie'; from eyrie.cli import main; main()"
    done = subprocess.run(
        [sys.executable.encode(), b"-c", program.encode(), b"nodes", b"check", odd],
        capture_output=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert rb"\xff\x1b[2J.map: refused: Bad Table Input: <\xff\x1b]0;x\x07 " in done.stdout


def test_plan_shows_first_and_writes_when_told() -> None:
    with pytest.raises(EyrieError, match="a new pool is numbered with --new"):
        nodes("plan", "pool.yml")
    told = nodes("plan", "pool.yml", "--new")
    assert told.startswith("append only: 2 ranges for 304 nodes\n+ 1 10.77.0.1 254\n+ 255 10.78.0.1 50\n")
    assert "nothing is written" in told
    assert not Path("openmosix-numbers.yml").exists()
    assert "written: openmosix-numbers.yml; commit it" in nodes("plan", "pool.yml", "--new", "--write")
    assert nodes("plan", "pool.yml").startswith("no change: 2 ranges")
    table = nodes("plan", "pool.yml", "--table")
    assert table == "1 10.77.0.1 254\n255 10.78.0.1 50\n"
    assert nodes("check", "--strict", "-", given=table.encode()) == "-: ok\n"


def test_plan_says_who_restarts() -> None:
    nodes("plan", "pool.yml", "--new", "--write")
    Path("pool.yml").write_text(POOL.replace("- {name: office, network: 10.77.0.0/24}\n", "") + "")
    Path("pool.yml").write_text(Path("pool.yml").read_text().replace("n1: 10.77.0.1, ", ""))
    told = nodes("plan", "pool.yml", "--new")
    assert told.startswith("restart of 1 node: 1 ranges")
    assert "restarts: n2\n" in told
    assert "no restart: 1 removed" in nodes("plan", "pool.yml")


def test_plan_notices_a_lost_and_an_edited_numbers_file() -> None:
    nodes("plan", "pool.yml", "--new", "--write")
    Path("node.map").write_text(nodes("plan", "pool.yml", "--table"))
    numbers = Path("openmosix-numbers.yml")
    kept = numbers.read_text()
    numbers.write_text(kept.replace("first: 255", "first: 256"))
    with pytest.raises(EyrieError, match="edited by hand"):
        nodes("plan", "pool.yml")
    numbers.unlink()
    with pytest.raises(EyrieError, match="1 hosts carry a node table"):
        nodes("plan", "pool.yml", "--deployed", "node.map")
    nodes("import", "map", "node.map", "--numbers", "openmosix-numbers.yml")
    assert nodes("plan", "pool.yml", "--deployed", "node.map").startswith("no change")
    with pytest.raises(EyrieError, match="no numbers are lost"):
        nodes("import", "map", "node.map", "--numbers", "openmosix-numbers.yml")


@pytest.mark.slow
def test_plan_reads_an_inventory(place: Path) -> None:
    inventory = place / "inventory"
    inventory.mkdir()
    (inventory / "hosts.yml").write_text(
        "openmosix_tools:\n  hosts: {n1: {ansible_host: 10.77.0.1}, n2: {ansible_host: 10.77.0.2}}\n"
        "  vars: {openmosix_tools_subnets: [{name: office, network: 10.77.0.0/24}]}\n"
    )
    assert "+ 1 10.77.0.1 254\n" in nodes("plan", "-i", str(inventory), "--new", "--write")
    assert (inventory / "openmosix-numbers.yml").exists()
    with pytest.raises(EyrieError, match="either FILE or -i INVENTORY"):
        nodes("plan")


def test_diff_says_what_going_there_would_do() -> None:
    Path("more.map").write_text("1 10.77.0.1 5\n6 10.77.1.1 5\n")
    Path("other.map").write_text("2 10.77.0.1 5\n")
    assert nodes("diff", "ok.map", "ok.map") == "no change\n"
    assert nodes("diff", "ok.map", "more.map", status=1).endswith("+6 10.77.1.1 5\nappend only\n")
    told = nodes("diff", "ok.map", "other.map", status=1)
    assert "restart: 10.77.0.1 and 4 after it: node 1 becomes 2\n" in told
    assert told.endswith("restart of 5 addresses whose own mapping changes\n")
    Path("gone.map").write_text("10 10.78.0.1 2\n")
    told = nodes("diff", "ok.map", "gone.map", status=1)
    assert told.endswith("5 addresses are in no range any more: nodes there are refused the new table\n")
    with pytest.raises(EyrieError, match=r"bad\.map line 1"):
        nodes("diff", "ok.map", "bad.map")


def test_import_prints_a_plan_file() -> None:
    Path("hosts.csv").write_text("name,address\nn1,10.77.0.1\n")
    for words in (("csv", "hosts.csv"), ("hosts", "hosts")):
        Path("pool.yml").write_text(nodes("import", *words))
        assert "+ 1 10.77.0.1 254" in nodes("plan", "pool.yml", "--new")
    with pytest.raises(EyrieError, match="wanted map, csv or hosts"):
        nodes("import", "xls", "hosts.csv")
    with pytest.raises(EyrieError, match="can be read"):
        nodes("import", "csv", "none.csv")
