# SPDX-License-Identifier: GPL-3.0-or-later
"""One change at a time, and none before the last one's programs have ended."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from eyrie.errors import EyrieError
from eyrie.lab import lock
from eyrie.lab.lock import locked

CHANGE = """
import sys
from pathlib import Path
from eyrie.lab.commands import run
from eyrie.lab.lock import locked
with locked(Path(sys.argv[1])):
    print("begun", flush=True)
    run(["sleep", "1.5"])
"""


@pytest.mark.slow
def test_a_killed_changes_program_still_holds_the_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHANGE, str(tmp_path / "lab")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as change:
        assert change.stdout is not None
        assert change.stdout.readline() == "begun\n"
        time.sleep(0.3)  # now it waits for its program
        change.kill()
    begin = time.monotonic()
    with locked(tmp_path / "lab"):
        assert 0.5 < time.monotonic() - begin < 5


def test_a_second_change_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.1)
    with locked(tmp_path / "lab"), pytest.raises(EyrieError, match="being changed"), locked(tmp_path / "lab"):
        raise AssertionError("two at once")


def test_a_directory_that_its_holder_removed_is_no_lock(tmp_path: Path) -> None:
    with locked(tmp_path / "lab"):
        (tmp_path / "lab").rmdir()
    with locked(tmp_path / "lab"):
        assert (tmp_path / "lab").is_dir()
