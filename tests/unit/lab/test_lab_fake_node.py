# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake openMosix node: what it believes of others, and what its tools answer."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from eyrie.lab.fake_node import sayings, tree
from eyrie.lab.fake_node.call import Answer, Call
from eyrie.lab.fake_node.tools import Tools
from eyrie.lab.fake_node.world import FLAGS, Figures, Peer, Process, World
from eyrie.nodetable import Table, parse

MAP = "1 10.78.1.11 2\n3 10.78.2.11 1\n"
TABLE = parse(MAP)


class Kernel:
    """Takes tables and notes where processes are sent."""

    def __init__(self) -> None:
        self.world = World("10.78.1.11")
        self.moves: list[tuple[int, int]] = []
        self.restarts: list[bool] = []

    def adopt(self, table: Table, own: int, *, restart: bool) -> None:
        self.world.table, self.world.own = table, own
        self.restarts.append(restart)

    def move(self, pid: int, number: int) -> bool:
        self.moves.append((pid, number))
        return number in (0, 1, 2, 3)

    def expel(self) -> None:
        self.world.flags.add("block")

    def bring(self) -> None:
        self.world.flags.add("lstay")


def world(own: int = 1) -> World:
    return World("10.78.1.11", TABLE, own)


def heard(load: int = 0, flags: int = 0, at: float = 100.0) -> Peer:
    return Peer(Figures(load=load), flags, at)


@pytest.mark.parametrize(
    ("address", "me", "you", "believed"),
    [
        ("10.78.1.12", 2, 1, True),
        ("10.78.1.12", 3, 1, False),  # it has another number for itself
        ("10.78.1.12", 2, 3, False),  # it has another number for this node
        ("10.99.9.9", 2, 1, False),  # nobody of this table
    ],
)
def test_a_peer_is_up_only_if_both_tables_agree(address: str, me: int, you: int, believed: bool) -> None:
    node = world()
    node.hear(address, me, you, heard())
    assert node.is_up(2, 101.0) is believed
    assert node.flags_of(2, 101.0) == (3 if believed else 1)


def test_a_silent_peer_is_down_within_three_seconds() -> None:
    node = world()
    node.hear("10.78.1.12", 2, 1, heard(flags=FLAGS["block"] | FLAGS["stay"]))
    assert node.flags_of(2, 101.0) == 3 + 16 + 4
    assert node.flags_of(2, 103.0) == 1
    assert node.is_up(1, 1e9)  # itself


def test_a_busy_process_goes_where_there_is_less_to_do() -> None:
    node = world()
    node.figures.load = 200
    node.hear("10.78.1.12", 2, 1, heard(load=100))
    node.hear("10.78.2.11", 3, 1, heard(load=0))
    assert node.best_peer(101.0) == 3
    node.peers[3].flags = FLAGS["block"]
    assert node.best_peer(101.0) == 2
    node.peers[2].figures.load = 180
    assert node.best_peer(101.0) is None


def test_who_stays_at_home() -> None:
    node = world()
    busy = Process(7, "burn", True, busy_seconds=9)
    node.processes = {
        5: Process(5, "sshd", False, busy_seconds=9),
        6: Process(6, "idle", True),
        8: Process(8, "locked", True, is_locked=True, busy_seconds=9),
        9: Process(9, "away", True, where=2, busy_seconds=9),
    }
    assert node.restless() is None
    node.processes[7] = busy
    assert node.restless() is busy
    for flag in ("stay", "lstay", "quiet"):
        node.flags = {flag}
        assert node.restless() is None


def call(tmp_path: Path, words: str, stdin: str = "") -> Call:
    name, *arguments = words.split()
    (tmp_path / "etc").mkdir(exist_ok=True)
    (tmp_path / "etc/hosts").write_text("10.78.1.11 chaos-a4e010b\n")
    return Call(tmp_path, 42, name, tuple(arguments), "/", stdin.encode())


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def setpe(kernel: Kernel, tmp_path: Path, words: str, text: str = "") -> Answer:
    return Tools(kernel).answer(call(tmp_path, f"setpe {words}", text))


def test_a_table_is_taken_and_shown(kernel: Kernel, tmp_path: Path) -> None:
    assert setpe(kernel, tmp_path, "-r").status == 3
    assert setpe(kernel, tmp_path, "-W -f -", MAP) == Answer(0)
    assert kernel.world.own == 1
    assert setpe(kernel, tmp_path, "-r").output.splitlines() == [
        "This is OpenMosix node #1",
        "Network protocol: 2 (AF_INET)",
        "OpenMosix range     1-2     begins at chaos-a4e010b",
        "OpenMosix range     3-3     begins at 10.78.2.11",
        "Total configured: 3",
    ]
    assert setpe(kernel, tmp_path, "-off").status == 0
    assert kernel.world.own == 0


def test_a_refused_table_changes_nothing(kernel: Kernel, tmp_path: Path) -> None:
    setpe(kernel, tmp_path, "-W -f -", MAP)
    refused = setpe(kernel, tmp_path, "-W -f -", "1 10.9.9.9 1\n")
    assert refused.status == 102
    assert refused.error.endswith("but my IP address (10.78.1.11) is not there!\n")
    assert (kernel.world.table, kernel.world.own) == (TABLE, 1)
    assert setpe(kernel, tmp_path, "-c -f -", "1 10.78.1.11 9\n") == Answer(0)
    assert kernel.world.table == TABLE


# As tried on a genuine node: a node's own mapping is the beginning of the range it is in.
@pytest.mark.parametrize(
    ("text", "status"),
    [
        (MAP + "9 10.99.0.1 5\n", 0),
        ("3 10.78.2.11 1\n1 10.78.1.11 3\n", 102),  # 3 twice
        ("4 10.78.2.11 1\n1 10.78.1.11 3\n", 0),
        ("1 10.78.1.11 1\n", 0),
        ("2 10.78.1.11 1\n", 102),
    ],
)
def test_without_a_restart_the_own_mapping_has_to_stay(
    kernel: Kernel, tmp_path: Path, text: str, status: int
) -> None:
    setpe(kernel, tmp_path, "-W -f -", MAP)
    assert setpe(kernel, tmp_path, "-w -f -", text).status == status
    assert kernel.restarts[1:] == ([False] if status == 0 else [])


def test_splitting_the_own_range_is_a_restart(kernel: Kernel, tmp_path: Path) -> None:
    kernel.world.address = "10.78.1.12"
    setpe(kernel, tmp_path, "-W -f -", MAP)
    split = "1 10.78.1.11 1\n2 10.78.1.12 1\n3 10.78.2.11 1\n"
    assert setpe(kernel, tmp_path, "-w -f -", split) == Answer(102, "", sayings.NEEDS_RESTART)
    assert setpe(kernel, tmp_path, "-W -f -", split) == Answer(0)


def mosctl(kernel: Kernel, tmp_path: Path, words: str) -> Answer:
    return Tools(kernel).answer(call(tmp_path, f"mosctl {words}"))


def test_mosctl_tells_of_nodes(kernel: Kernel, tmp_path: Path) -> None:
    kernel.world.restart(TABLE, 1)
    kernel.world.hear("10.78.1.12", 2, 1, heard(load=7, flags=FLAGS["block"], at=time.monotonic()))
    said = {
        words: (answer.output or answer.error).strip()
        for words in ("status", "status 2", "status 3", "isup 3", "whois", "whois 3", "getload 2", "isup 9")
        for answer in [mosctl(kernel, tmp_path, words)]
    }
    assert said == {
        "status": "up.",
        "status 2": "up,block.",
        "status 3": "down.",
        "isup 3": "no",
        "whois": "This is openMosix #1",
        "whois 3": "10.78.2.11",
        "getload 2": "load=7",
        "isup 9": "Node #9 is not configured",
    }


def test_mosctl_sets_and_clears_flags(kernel: Kernel, tmp_path: Path) -> None:
    kernel.world.restart(TABLE, 1)
    said = [mosctl(kernel, tmp_path, words).output for words in ("block", "block", "noblock", "noblock")]
    assert said == [f"{line}\n" for line in sayings.FLAGS["block"]]
    for words in ("expel", "bring", "nolstay"):
        assert mosctl(kernel, tmp_path, words).status == 0
    assert kernel.world.flags == {"block"}
    assert mosctl(kernel, tmp_path, "bogus") == Answer(1, "mosctl: No such option.\n")


def test_mosrun_goes_there_and_becomes_the_program(kernel: Kernel, tmp_path: Path) -> None:
    kernel.world.restart(TABLE, 1)
    tools = Tools(kernel)
    assert tools.answer(call(tmp_path, "mosrun -2 -l sleep 9")) == Answer(0, skip=2)
    assert kernel.moves == [(42, 2)]
    assert tools.answer(call(tmp_path, "mosrun -9 sleep 9")).error.startswith("Migration Failed")
    assert tools.answer(call(tmp_path, "mosrun -h")).status == 1


def test_migrate_takes_numbers_and_home(kernel: Kernel, tmp_path: Path) -> None:
    tools = Tools(kernel)
    assert [tools.answer(call(tmp_path, f"migrate {words}")).status for words in ("7 2", "7 home", "7")] == [
        0,
        0,
        1,
    ]
    assert kernel.moves == [(7, 2), (7, 0)]


def test_the_tree_has_what_the_genuine_image_has_and_no_more(tmp_path: Path) -> None:
    image, root = tmp_path / "image", tmp_path / "root"
    for name in ("usr/bin/busybox", "usr/sbin/sshd", "etc/ssh/moduli"):
        (image / name).parent.mkdir(parents=True, exist_ok=True)
        (image / name).touch()
    tree.build(image, root, (), "127.0.0.1 localhost\n")
    programs = {
        path.name
        for directory in ("bin", "sbin", "usr/bin", "usr/sbin")
        for path in (root / directory).iterdir()
    }
    assert {"ash", "sh", "grep", "setpe", "mosctl", "uname", "["} <= programs
    assert not programs & {
        "awk",
        "tr",
        "python3",
        "sudo",
        "sftp-server",
        "egrep",
        "expr",
        "mktemp",
        "stat",
        "xargs",
    }
    assert "fake openMosix node" in (root / "etc/motd").read_text()
    assert "sftp" not in (root / "etc/sshd_config").read_text()
    assert "    cut) flags='ns' valued='bcdf' ;;\n" in (root / "libexec/options").read_text()
