# SPDX-License-Identifier: GPL-3.0-or-later
"""Which guest images leave a desktop: the real script on real folders, a process in the guest's place."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.guests.image.folders import Folder, parse, plan, read_command

COLLECTIONS = Path(__file__).parents[3] / ".collections"
IDS = ["a" * 64, "b" * 64, "c" * 64, "d" * 64]
FOLDERS = st.lists(
    st.builds(Folder, st.sampled_from(IDS), st.integers(0, 9), st.booleans()),
    unique_by=lambda folder: folder.image_id,
)


@given(FOLDERS, st.sampled_from(IDS))
def test_what_is_wanted_or_used_stays_and_one_before(folders: list[Folder], wanted: str) -> None:
    removed = plan(folders, wanted)
    left = [folder for folder in folders if folder.image_id not in removed]
    assert {folder.image_id for folder in folders if folder.used or folder.image_id == wanted} <= {
        folder.image_id for folder in left
    }
    assert plan(left, wanted) == ()
    others = [folder for folder in folders if folder.image_id != wanted]
    if others:
        assert max(folder.changed for folder in others) in [
            folder.changed for folder in left if folder in others
        ]
        assert sum(not folder.used for folder in left if folder in others) <= 1


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Make four images, the last one the youngest, and things that are none."""
    directory = tmp_path / "var lib" / "images"
    for age, name in enumerate(reversed([*IDS, "notes", "A" * 64, "a" * 63])):
        (directory / name).mkdir(parents=True)
        (directory / name / "vmlinuz").write_text("")
        os.utime(directory / name, (1e9 - age, 1e9 - age))
    (directory / ("e" * 64)).symlink_to("notes")
    (directory / ("f" * 64)).write_text("a file")
    for age, name in enumerate(IDS):
        os.utime(directory / name, (1e9 + age, 1e9 + age))
    return directory


def prune(directory: Path, keep: str, check: bool, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run the action with sh in the desktop's place."""
    monkeypatch.syspath_prepend(str(COLLECTIONS))
    module = importlib.import_module("ansible_collections.eyrie.pool.plugins.action.guest_images")
    arguments = {"directory": str(directory), "keep": keep}
    task = SimpleNamespace(args=arguments, check_mode=check, async_val=0, diff=True, action="guest_images")
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    action = module.ActionModule(
        task, connection, None, None, SimpleNamespace(template=lambda value: value), None
    )

    def execute(script: str) -> dict[str, Any]:
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
        return {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

    action._low_level_execute_command = execute
    return dict(action.run(None, {}))


@pytest.mark.skipif(not COLLECTIONS.exists(), reason="the checkout is not linked as a collection")
def test_old_images_go_and_a_running_guests_stays(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name for path in images.iterdir()}
    words = [sys.executable, "-c", "input()", "-kernel", f"{images}/{IDS[0]}/vmlinuz"]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as guest:
        told = prune(images, IDS[3], True, monkeypatch)
        assert (told["changed"], told["guest_images"]["removed"]) == (True, [IDS[1]])
        assert {path.name for path in images.iterdir()} == before
        assert prune(images, IDS[3], False, monkeypatch)["diff"] == told["diff"]
        assert before - {path.name for path in images.iterdir()} == {IDS[1]}
        assert not prune(images, IDS[3], False, monkeypatch)["changed"]
        guest.communicate(b"\n")
    assert prune(images, IDS[3], False, monkeypatch)["guest_images"]["removed"] == [IDS[0]]
    assert not prune(images, IDS[3], False, monkeypatch)["changed"]


def test_a_desktop_without_images_has_none_to_remove(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", read_command(str(tmp_path / "none"))], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_an_odd_answer_removes_nothing() -> None:
    with pytest.raises(EyrieError, match="guest images"):
        parse(f"Welcome!\n{IDS[0]} 1 unused\n")


@pytest.mark.parametrize("keep", ["", "..", "a" * 63])
def test_nothing_goes_where_no_image_is_wanted(keep: str) -> None:
    with pytest.raises(EyrieError, match="64 hex digits"):
        plan([Folder(IDS[0], 1, False), Folder(IDS[1], 2, False)], keep)
