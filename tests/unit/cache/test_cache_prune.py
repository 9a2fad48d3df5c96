# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the caches goes, and what stays: what today's recipes make, what a lab stands on, what is built."""

from __future__ import annotations

import fcntl
import json
import struct
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eyrie.cache import images
from eyrie.cache.prune import Cached, plan
from eyrie.cli import cache as command
from eyrie.guests.image.recipe import Recipe
from eyrie.lab.recipes import RECIPES


def cached(name: str, changed: float, needed: str = "", finished: bool = True) -> Cached:
    return Cached(Path("/cache") / name, 1, changed, needed, finished)


def test_the_oldest_go_first_and_what_is_needed_stays() -> None:
    found = [cached("g/new", 3), cached("g/old", 1), cached("g/used", 0, "a lab"), cached("l/old", 2)]
    assert [image.path.name for image in plan(found)] == ["old", "old", "new"]
    assert plan(plan(found), keep=9) == ()


def test_each_cache_keeps_its_newest() -> None:
    found = [cached("g/a", 1), cached("g/b", 2), cached("l/c", 1), cached("l/d", 2)]
    assert {image.path.name for image in plan(found, keep=1)} == {"a", "c"}


def test_what_no_build_finished_is_never_kept() -> None:
    found = [cached("g/a", 1), cached("g/.building-x", 2, finished=False)]
    assert [image.path.name for image in plan(found, keep=1)] == [".building-x"]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with one image of every fate."""
    guests, labs = tmp_path / "cache/guest-images", tmp_path / "cache/lab-images"
    for name, packages in (
        (Recipe(("povray",)).hash(), ["povray"]),
        ("0" * 64, ["povray"]),
        ("1" * 64, None),
    ):
        (guests / name).mkdir(parents=True)
        if packages is not None:
            (guests / name / "manifest.json").write_text(json.dumps({"requested": packages}))
    (guests / ".building-x").mkdir()
    for name in (RECIPES["vm"].identity, "vm-0", "vm-1", "container-2", "container-3", "vm-4.building"):
        (labs / name).mkdir(parents=True)
        (labs / f"{name.removesuffix('.building')}.lock").touch()
    (labs / "vm-0" / "disk").write_bytes(b"x" * 100_000)
    (tmp_path / "proc/77").mkdir(parents=True)
    (tmp_path / "proc/mounts").write_text(f"x /m overlay lowerdir={labs}/container-2/root,upperdir=/u 0 0\n")
    (tmp_path / "proc/77/cmdline").write_bytes(f"run\0-kernel\0{labs}/vm-9/vmlinuz".encode())
    disk = tmp_path / "labs/office/hosts/one/disk.qcow2"
    disk.parent.mkdir(parents=True)
    under = f"{labs}/vm-1/disk.qcow2".encode()
    disk.write_bytes(b"QFI\xfb" + struct.pack(">IQI", 3, 64, len(under)) + bytes(44) + under)
    return tmp_path


def going(machine: Path) -> dict[str, Cached]:
    found = images.read(machine / "cache", machine / "labs", machine / "proc")
    return {image.path.name: image for image in plan(found)}


def test_only_what_nobody_needs_goes(machine: Path) -> None:
    assert set(going(machine)) == {"0" * 64, "1" * 64, ".building-x", "vm-0", "container-3", "vm-4.building"}
    assert going(machine)["vm-0"].size >= 100_000


def test_a_program_that_runs_from_an_image_needs_it(machine: Path) -> None:
    (machine / "cache/lab-images/vm-9").mkdir()
    assert "vm-9" not in going(machine)


def test_a_removed_image_takes_its_lock_along(machine: Path) -> None:
    for image in going(machine).values():
        assert images.remove(image)
    left = {path.name for path in (machine / "cache").glob("*/*")}
    labs = ("container-2", "vm-1", RECIPES["vm"].identity)
    assert left == {Recipe(("povray",)).hash(), ".lock", *labs, *(f"{name}.lock" for name in labs)}


@pytest.mark.parametrize(
    "name, lock", [(".building-x", "guest-images/.lock"), ("vm-4.building", "lab-images/vm-4.lock")]
)
def test_what_is_being_built_is_left(machine: Path, name: str, lock: str) -> None:
    with (machine / "cache" / lock).open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert not images.remove(going(machine)[name])
    assert name in going(machine)


def test_the_command_tells_what_it_would_do_and_does_it(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EYRIE_CACHE", str(machine / "cache"))
    monkeypatch.setattr(command, "STATE", machine / "labs")
    tried = CliRunner().invoke(command.app, ["prune", "--dry-run"])
    assert "would remove" in tried.output and "vm-0" in tried.output and "would free" in tried.output
    assert set(going(machine)) >= {"vm-0"}
    done = CliRunner().invoke(command.app, ["prune"])
    assert done.exit_code == 0 and "freed 0.1 MiB" in done.output
    assert "a lab stands on it" in done.output
    assert not (machine / "cache/lab-images/vm-0").exists()


def test_an_empty_machine_has_nothing_to_give(tmp_path: Path) -> None:
    assert images.read(tmp_path / "none", tmp_path / "labs", Path("/proc")) == ()
    assert list(tmp_path.iterdir()) == []
