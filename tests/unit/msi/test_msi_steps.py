# SPDX-License-Identifier: GPL-3.0-or-later
"""The installer's steps in the order that a lost power asks for; Windows' functions are FAKES."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PACKAGE = "eyrie.msi.on_desktop"


class Desktop:
    """What the steps do to the desktop, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.trouble: OSError | None = None
        self.state = 4

    @contextmanager
    def service(self, _access: int) -> Iterator[int]:
        yield 1

    def flush_disk(self, _path: Path) -> None:
        self.done.append("files on the disk")
        if self.trouble:
            raise self.trouble

    def set_value(self, name: str, value: str) -> None:
        self.done.append(f"{name}={value}")


@pytest.fixture
def desktop() -> Desktop:
    return Desktop()


@pytest.fixture
def steps(desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    release = tmp_path / "versions" / "new"
    (release / "python").mkdir(parents=True)
    for name in ("agent.pyz", "installer.pyz", "python/pythonw.exe"):
        (release / name).touch()
    (tmp_path / "before.json").write_text('{"image": "", "values": {}}')
    scm, disk = ModuleType(f"{PACKAGE}.scm"), ModuleType(f"{PACKAGE}.disk")
    vars(scm).update(
        dict.fromkeys(("QUERY_CONFIG", "CHANGE_CONFIG", "QUERY_STATUS", "START"), 0),
        SERVICE="EyrieAgent",
        STOPPED=1,
        RUNNING=4,
        service=desktop.service,
        configured=lambda _handle: "old",
        configure=lambda _handle, _image: desktop.done.append("service names new"),
        set_value=desktop.set_value,
        state=lambda: desktop.state,
        start=lambda _handle: desktop.done.append("start"),
        flush=lambda: desktop.done.append("registry on the disk"),
    )
    vars(disk)["flush"] = desktop.flush_disk
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "argv", [str(release / "installer.pyz")])
    monkeypatch.setitem(sys.modules, scm.__name__, scm)
    monkeypatch.setitem(sys.modules, disk.__name__, disk)
    monkeypatch.delitem(sys.modules, f"{PACKAGE}.steps", raising=False)
    loaded = importlib.import_module(f"{PACKAGE}.steps")
    monkeypatch.delitem(sys.modules, f"{PACKAGE}.steps")
    monkeypatch.setattr(loaded.time, "sleep", lambda _seconds: None)
    return loaded


def test_a_release_is_on_the_disk_before_it_is_named_and_named_there_before_the_old_one_goes(
    steps: Any, desktop: Desktop
) -> None:
    steps.adopt()
    steps.check()  # after it the sequence removes the old release
    assert desktop.done == [
        "files on the disk",
        "service names new",
        "Release=new",
        "service names new",
        "registry on the disk",
    ]


def test_a_disk_that_cannot_be_flushed_is_told_and_no_reason_to_go_without_an_agent(
    steps: Any, desktop: Desktop
) -> None:
    desktop.trouble = OSError("incorrect function")
    steps.adopt()
    assert "LastTrouble=adopt: incorrect function" in desktop.done and "Release=new" in desktop.done


def test_a_service_that_does_not_come_up_is_no_reason_to_let_the_old_release_go(
    steps: Any, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop.state = 1
    clock = iter(range(10_000))
    monkeypatch.setattr(steps.time, "monotonic", lambda: float(next(clock)))
    with pytest.raises(OSError, match="does not run"):
        steps.check()
    assert "registry on the disk" not in desktop.done and desktop.done.count("start") == steps.STARTS
