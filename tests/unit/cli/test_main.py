# SPDX-License-Identifier: GPL-3.0-or-later
"""The command as a whole: what a user sees when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from eyrie.cli import main

Capture = pytest.CaptureFixture[str]


def eyrie(monkeypatch: pytest.MonkeyPatch, *words: str) -> object:
    """Run the command in this process; return its exit status."""
    monkeypatch.setattr(sys, "argv", ["eyrie", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_an_error_is_one_sentence_whole_with_its_brackets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    place = tmp_path / "[no] image"
    assert eyrie(monkeypatch, "guest", "show", str(place)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("eyrie: ")
    assert str(place) in err
    assert "Next: " in err
    assert "Traceback" not in err


def test_an_unknown_verb_is_refused_with_usage(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    assert eyrie(monkeypatch, "nonsense") == 2
    assert "No such command" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_is_installed() -> None:
    done = subprocess.run(["eyrie", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("eyrie ")
