# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written where to cap a guest; the files are plain ones, the kernel's are read the same way."""

from __future__ import annotations

from pathlib import Path

import pytest

from eyrie.guests.cgroup import cap_cpu, own_group

OWN = "/system.slice/eyrie-agent.service"


@pytest.fixture
def group(tmp_path: Path) -> Path:
    folder = tmp_path / OWN.lstrip("/")
    folder.mkdir(parents=True)
    (folder / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    (folder / "cgroup.procs").write_text("100\n200\n")
    return folder


@pytest.mark.parametrize(
    ("percent", "cpus", "limit"), [(50, 1, "50000 100000"), (25, 4, "100000 100000"), (1, 1, "1000 100000")]
)
def test_a_capped_guest(group: Path, tmp_path: Path, percent: int, cpus: int, limit: str) -> None:
    assert cap_cpu(200, percent, cpus, tmp_path, OWN) == ""
    assert (group / "guest/cpu.max").read_text() == limit
    assert (group / "guest/cgroup.procs").read_text() == "200"
    assert (group / "agent/cgroup.procs").read_text() == "100"
    assert (group / "cgroup.subtree_control").read_text() == "+cpu"


def test_the_next_guest_finds_the_agent_in_its_own_part(group: Path, tmp_path: Path) -> None:
    (group / "cgroup.procs").write_text("")
    assert cap_cpu(300, 50, 1, tmp_path, f"{OWN}/agent") == ""
    assert (group / "guest/cgroup.procs").read_text() == "300"
    assert not (group / "agent/agent").exists()


def test_without_a_cap_nothing_is_touched(group: Path, tmp_path: Path) -> None:
    assert cap_cpu(200, 100, 1, tmp_path, OWN) == ""
    assert sorted(path.name for path in group.iterdir()) == ["cgroup.controllers", "cgroup.procs"]


def test_why_it_cannot_be(group: Path, tmp_path: Path) -> None:
    (group / "cgroup.controllers").write_text("memory pids\n")
    assert "no cpu controller" in cap_cpu(200, 50, 1, tmp_path, OWN)
    assert not (group / "guest").exists()
    assert "not enforced" in cap_cpu(200, 50, 1, tmp_path, "/gone")


def test_own_group_is_a_path() -> None:
    assert own_group().startswith("/")
