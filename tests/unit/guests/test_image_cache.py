# SPDX-License-Identifier: GPL-3.0-or-later
"""What stops a build is told before anything was fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from eyrie.errors import EyrieError
from eyrie.guests.image import build
from eyrie.guests.image.recipe import Recipe


def no_mirror() -> str:
    raise AssertionError("nothing may be fetched")


def test_no_room_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EYRIE_CACHE", str(tmp_path))
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 5 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(EyrieError, match="5 MiB free"):
        build.build_image(Recipe(), no_mirror)


def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EYRIE_CACHE", str(tmp_path))
    monkeypatch.setattr(build, "_PROGRAMS", ("no-such-tool",))
    with pytest.raises(EyrieError, match="no-such-tool"):
        build.build_image(Recipe(), no_mirror)


@pytest.mark.slow
def test_without_root_the_command_says_so_in_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    command = [sys.executable, "-c", "from eyrie.cli import main; main()", "guest", "build"]
    if os.geteuid() == 0:
        # The checkout may lie where nobody else may look, as below /root.
        reads = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
        command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *reads, *command]
    environment = {**os.environ, "EYRIE_CACHE": "/proc/eyrie-cache"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "EYRIE_CACHE" in done.stderr
