# SPDX-License-Identifier: GPL-3.0-or-later
"""Which starters end before the startd: the guest's own shell function on real processes of such names."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from importlib.resources import files
from pathlib import Path

import pytest

ENGINE = files("eyrie.guests") / "image/data/engine.sh"


@pytest.fixture
def starters(tmp_path: Path) -> Iterator[Starters]:
    made = Starters(tmp_path)
    yield made
    made.close()


class Starters:
    """Programs named condor_starter, each with a child or none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        for name, program in (("condor_starter", "sleep"), ("job", "sleep"), ("parent", "dash")):
            shutil.copy(str(shutil.which(program)), folder / name)

    def start(self, child: str = "") -> subprocess.Popen[bytes]:
        words = [str(self.folder / "condor_starter"), "60"]
        if child:
            words = [str(self.folder / "parent"), "-c", f"{self.folder / child} 60; :"]
        # Whoever runs the tests in the background may have them ignore it, and children inherit that.
        heed = partial(signal.signal, signal.SIGQUIT, signal.SIG_DFL)
        self.running.append(subprocess.Popen(words, start_new_session=True, preexec_fn=heed))
        while child and not self.children():
            time.sleep(0.01)
        return self.running[-1]

    def children(self) -> str:
        pid = self.running[-1].pid
        named = {
            Path(f"/proc/{each}/comm").read_text()
            for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        }
        return "".join(named - {"parent\n"})

    def end_unborn(self) -> bool:
        pids = " ".join(str(each.pid) for each in self.running)
        script = f'. "$1"; pidof() {{ echo {pids}; }}; engine_end_unborn'
        return subprocess.run(["dash", "-c", script, "-", str(ENGINE)], check=False).returncode == 0

    def close(self) -> None:
        for each in self.running:
            with suppress(ProcessLookupError):
                os.killpg(each.pid, signal.SIGKILL)
            each.wait()


def test_one_without_a_job_ends(starters: Starters) -> None:
    starter = starters.start()
    assert starters.end_unborn()
    assert starter.wait(5) == -signal.SIGQUIT


def test_one_that_only_moves_files_ends(starters: Starters) -> None:
    starter = starters.start("condor_starter")
    assert starters.end_unborn()
    assert starter.wait(5) == -signal.SIGQUIT


def test_one_whose_job_runs_is_left_to_the_startd(starters: Starters) -> None:
    starter = starters.start("job")
    assert not starters.end_unborn()
    assert starter.poll() is None


def test_none_at_all(starters: Starters) -> None:
    assert not starters.end_unborn()
