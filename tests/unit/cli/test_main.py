# SPDX-License-Identifier: GPL-3.0-or-later
"""The command as a whole: what a user sees when something is wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path


def eyrie(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["eyrie", *words], capture_output=True, text=True, check=False)


def test_an_error_is_one_sentence_whole_with_its_brackets(tmp_path: Path) -> None:
    place = tmp_path / "[no] image"
    done = eyrie("guest", "show", str(place))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("eyrie: ")
    assert str(place) in done.stderr
    assert "Next: " in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_verb_is_refused_with_usage() -> None:
    done = eyrie("nonsense")
    assert done.returncode == 2
    assert "No such command" in done.stderr
