# SPDX-License-Identifier: GPL-3.0-or-later
"""The small parts: clocks, files, token, way to the pool, control groups, systemd's messages, words."""

from __future__ import annotations

import errno
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from agent_world import config, token

from eyrie.agent import cgroup, opt_out
from eyrie.agent.clocks import Moment, jump, moment
from eyrie.agent.config import parse
from eyrie.agent.notify import Notifier
from eyrie.agent.pool_token import token_problem
from eyrie.agent.preflight import Preflight
from eyrie.agent.status import page
from eyrie.agent.storage import RECHECK_SECONDS, StateDir
from eyrie.agent.why import explain


@pytest.mark.parametrize(
    ("monotonic", "boot", "wall", "said"),
    [
        (0.5, 0.5, 0.5, ""),
        (0.5, 0.5, 0.5 + 4.9, ""),
        (0.5, 0.5, 3600.5, "the clock was set forward by 3600 s"),
        (0.5, 0.5, -59.5, "the clock was set back by 60 s"),
        (0.5, 100.5, 100.5, "the machine slept for 100 s"),
        (20.0, 20.0, 20.0, "the agent stood still for 20 s"),
    ],
)
def test_clock_trouble(monotonic: float, boot: float, wall: float, said: str) -> None:
    before = Moment(100.0, 150.0, 1.8e9)
    assert jump(before, Moment(100.0 + monotonic, 150.0 + boot, 1.8e9 + wall)) == said


def test_this_machines_clocks_agree() -> None:
    assert jump(moment(), moment()) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (token(exp=2e9), ""),
        (token(), ""),
        (token(exp=2e9, iat=1.8e9 + 10), ""),
        (token(exp=1.7e9), "token expired on 2023-11-14"),
        (token(exp=2e9, iat=1.9e9), "set the clock"),
        ("not.a-token", "holds no token"),
        ("a.b.c", "holds no token"),
        ("", "holds no token"),
        ("ü", "cannot be read"),
    ],
)
def test_tokens(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "token"
    path.write_text(text, encoding="utf-8")
    problem = token_problem(path, 1.8e9)
    assert said in problem
    assert bool(problem) == bool(said)
    assert not text or len(text) < 8 or text not in problem


def test_a_missing_token_names_the_next_step(tmp_path: Path) -> None:
    assert "run site.yml to make it" in token_problem(tmp_path / "none", 0.0)


def _config(tmp_path: Path, **changes: Any) -> Any:
    (tmp_path / "image").mkdir(exist_ok=True)
    (tmp_path / "token").write_text(token(exp=4e9))
    paths = {"guest__image": str(tmp_path / "image"), "guest__token": str(tmp_path / "token")}
    return parse(json.dumps(config(**{**paths, **changes})), "agent.json")


def test_preflight_waits_without_holding_up(tmp_path: Path) -> None:
    """A listener whose queue is full answers nobody, as a master behind a dropping firewall does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        address = deaf.getsockname()
        queue = []
        for _ in range(4):
            link = socket.socket()
            link.setblocking(False)
            link.connect_ex(address)
            queue.append(link)
        check = Preflight()
        check.begin(_config(tmp_path, pool__port=address[1]), StateDir(tmp_path), 0.0)
        assert check.answer(0.1) is None
        assert "no answer within 2 s" in str(check.answer(2.1))
        for link in queue:
            link.close()


def test_preflight_good_and_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as master:
        port = master.getsockname()[1]
        check = Preflight()
        check.begin(_config(tmp_path, pool__port=port), StateDir(tmp_path), 0.0)
        assert check.answer(0.1) == ""
    check.begin(_config(tmp_path, pool__port=port), StateDir(tmp_path), 0.0)
    assert f"127.0.0.1 port {port} (Connection refused)" in str(check.answer(0.1))
    check.begin(_config(tmp_path, guest__image="/nowhere"), StateDir(tmp_path), 0.0)
    assert "no guest image at /nowhere" in str(check.answer(0.1))
    check.begin(_config(tmp_path), StateDir(tmp_path / "none"), 0.0)
    assert "cannot be written" in str(check.answer(0.1))


def test_a_full_disk_leaves_the_old_file_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = StateDir(tmp_path)
    assert directory.save_json("wish.json", {"uid": 1})

    def full(_fileno: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert not directory.save_json("wish.json", {"uid": 2})
        assert "No space left on device" in directory.problem
        directory.recheck(RECHECK_SECONDS)
        assert directory.problem
    assert directory.load_json("wish.json") == {"uid": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["wish.json"]
    directory.recheck(2 * RECHECK_SECONDS)
    assert directory.problem == ""


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    directory = StateDir(tmp_path)
    directory.save_text("file", "old")
    with (tmp_path / "file").open() as reader:
        directory.save_text("file", "new")
        assert reader.read() == "old"
    assert directory.load_text("file") == "new"


def test_a_torn_opt_out_still_is_one(tmp_path: Path) -> None:
    directory = StateDir(tmp_path)
    assert opt_out.load(directory) is None
    (tmp_path / "opt-out.json").write_text('{"uid": 10')
    wish = opt_out.load(directory)
    assert wish is not None
    assert wish.uid == 0


def _group(tmp_path: Path, name: str) -> tuple[Path, Path]:
    """Return a directory shaped like a delegated control group, and the file that says we are in it."""
    base = tmp_path / "system.slice" / name
    for leaf in ("", "agent", "guest"):
        (base / leaf).mkdir(parents=True, exist_ok=True)
        for file in ("cgroup.procs", "cgroup.subtree_control", "memory.max", "memory.swap.max", "cpu.max"):
            (base / leaf / file).write_text("")
        (base / leaf / "cpu.weight").write_text("")
        (base / leaf / "cgroup.controllers").write_text("cpu io memory pids\n")
    own = tmp_path / "own"
    own.write_text(f"1:name=systemd:/x\n0::/system.slice/{name}\n")
    return base, own


def test_control_groups_of_a_delegated_service(tmp_path: Path) -> None:
    base, own = _group(tmp_path, "eyrie-agent.service")
    group = cgroup.delegate(tmp_path, own)
    assert group.notice == ""
    assert (base / "agent" / "cgroup.procs").read_text() == str(os.getpid())
    group.limit(_config(tmp_path, guest__cpus=2, guest__cpu_percent=50).guest)
    assert (base / "guest" / "memory.max").read_text() == str((256 + cgroup.OVERHEAD_MIB) << 20)
    assert (base / "guest" / "cpu.max").read_text() == "100000 100000"
    group.take(77)
    assert (base / "guest" / "cgroup.procs").read_text() == "77"
    (base / "guest" / "cpu.max").unlink()
    group.limit(_config(tmp_path).guest)
    assert group.notice == "not limited by the kernel: cpu.max"


def test_no_control_groups_outside_a_service(tmp_path: Path) -> None:
    base, own = _group(tmp_path, "session-1.scope")
    assert "not a delegated" in cgroup.delegate(tmp_path, own).notice
    assert (base / "agent" / "cgroup.procs").read_text() == ""


def test_systemd_hears_ready_and_the_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("notify")
        systemd.settimeout(1)
        monkeypatch.setenv("NOTIFY_SOCKET", "notify")
        monkeypatch.setenv("WATCHDOG_USEC", "4000000")
        notifier = Notifier()
        notifier.tell("READY=1")
        for now in (10.0, 11.0, 12.0):
            notifier.alive(now)
        assert [systemd.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        systemd.setblocking(False)
        with pytest.raises(BlockingIOError):
            systemd.recv(100)
        assert "NOTIFY_SOCKET" not in os.environ  # the guest has no business there


STATUS: dict[str, Any] = {
    "state": "busy",
    "reason": "terminal: typing on /dev/pts/0",
    "since_seconds": 3,
    "failures": 0,
    "retry_in_seconds": None,
    "idle_seconds": 300.0,
    "idle_reason": "x11: input on display :0",
    "needed_idle_seconds": 900,
    "sources": [
        {"source": "calendar", "kind": "idle", "seconds": None, "detail": "outside"},
        {"source": "x11", "kind": "unknown", "seconds": 0, "detail": "no cookie"},
    ],
    "name": "desk-1",
    "pool": {"name": "lab", "master": "10.77.1.10", "port": 9618},
    "guest": {"pid": 7, "accelerator": "tcg", "image_id": "ID", "jobs": 1, "cpu_seconds": 3.0},
    "problems": [],
    "history": [{"at": "then", "state": "evicting", "reason": "x11: input", "joined_seconds": 7300}],
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "idle for 5 min of the 15 min it takes (x11: input on display :0). It joins in 10 min"),
        (
            {"idle_seconds": None},
            "busy: terminal: typing on /dev/pts/0. It joins after 15 min",
        ),
        ({"state": "joined", "since_seconds": 7300}, "in the pool lab, since 2.0 h ago"),
        ({"state": "starting", "reason": "the guest is booting"}, "about to join: the guest is booting"),
        ({"state": "evicting"}, "leaving the pool: terminal: typing"),
        ({"state": "disabled", "reason": "paused by anna"}, "paused by anna. It joins again after"),
        ({"state": "failed", "reason": "QEMU is missing"}, "QEMU is missing. It goes on by itself"),
        (
            {"state": "failed", "reason": "gone", "retry_in_seconds": 80, "failures": 4},
            "gone. It tries again after 4 tries in 80 s",
        ),
        ({"problems": ["the file is broken"]}, "Besides: the file is broken."),
    ],
)
def test_why_is_a_sentence_for_every_state(change: dict[str, Any], said: str) -> None:
    assert said in explain({**STATUS, **change})


def test_the_status_page_shows_guest_sources_and_history() -> None:
    text = page({**STATUS, "problems": ["the disk is full"]})
    for part in (
        "busy for 3 s: terminal: typing on /dev/pts/0",
        "process 7 (tcg), 1 job, image ID",
        "problem   the disk is full",
        "x11: unknown (no cookie)",
        "then evicting: x11: input (was joined for 2.0 h)",
    ):
        assert part in text
