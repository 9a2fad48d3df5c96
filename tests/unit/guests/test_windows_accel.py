# SPDX-License-Identifier: GPL-3.0-or-later
"""WHPX counts only when a guest's kernel has answered under it; what was found is remembered for a while."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from eyrie.guests.accel import Accelerator
from eyrie.guests.backend import GuestError
from eyrie.guests.windows.accel import TRY_AGAIN_SECONDS, Memory, circumstances, probe, try_whpx

KEY = circumstances((10, 2), "image")


class Played:
    """A FAKE guest that says its lines and may end."""

    def __init__(self, *lines: str, status: int | None = None, words: str = "", trouble: str = "") -> None:
        self._lines, self._status, self._words, self._trouble = list(lines), status, words, trouble
        self.ended = self.closed = 0

    def console(self) -> str:
        if self._trouble:
            raise GuestError("QMP ringbuf-read", seen=self._trouble)
        return self._lines.pop(0) if self._lines else ""

    def exit_status(self) -> int | None:
        return None if self._lines else self._status

    def last_words(self) -> str:
        return self._words

    def kill(self) -> None:
        self.ended += 1

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(
    ("guest", "reason"),
    [
        (Played("eyrie: the probe runs\n"), ""),
        (Played("booting\neyrie: the pro", "be runs\n"), ""),
        (Played("Kernel panic - not syncing", status=0), "status 0"),
        (Played(status=1, words="WHPX: No accelerator found, hr=00000000"), "No accelerator found"),
        (Played(status=1, words="WHPX: Unexpected VP exit code 4"), "VP exit code 4"),
        (Played("SeaBIOS"), "no answer within 0.4 s"),
        (Played(trouble="silence"), "silence"),
    ],
    ids=["ran", "ran in pieces", "panicked", "refused", "stopped", "hangs", "QEMU itself hangs"],
)
def test_verdict_and_nothing_stays(guest: Played, reason: str) -> None:
    began = time.monotonic()
    verdict = try_whpx(lambda: guest, 0.4)
    assert reason in verdict if reason else verdict == ""
    assert time.monotonic() - began < 3
    assert (guest.ended, guest.closed) == (1, 1)


def test_a_probe_that_cannot_start_is_a_verdict() -> None:
    def start() -> Played:
        raise GuestError("QEMU did not start", seen="whpx: not compiled in")

    found = probe(start, offered=True, seconds=1)
    assert found.name == "tcg"
    assert "whpx: not compiled in" in found.notice and "times slower" in found.notice


def test_without_the_feature_nothing_is_started() -> None:
    found = probe(lambda: pytest.fail("started"), offered=False)
    assert found.name == "tcg" and "not enabled" in found.notice and "times slower" in found.notice
    assert probe(lambda: Played("eyrie: the probe runs"), offered=True).name == "whpx"


def test_what_was_found_is_remembered(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "state" / "accelerator.json")
    assert memory.recall(KEY, 1000) is None
    memory.keep(KEY, Accelerator("whpx", "guests run with WHPX"), 1000)
    assert memory.recall(KEY, 1e9) == Accelerator("whpx", "guests run with WHPX")
    for other in (circumstances((10, 3), "image"), circumstances((10, 2), "another")):
        assert memory.recall(other, 1000) is None
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["accelerator.json"]


@pytest.mark.parametrize(
    ("passed", "kept"), [(0, True), (TRY_AGAIN_SECONDS - 1, True), (TRY_AGAIN_SECONDS, False), (-1, False)]
)
def test_a_failure_is_not_remembered_for_ever(tmp_path: Path, passed: float, kept: bool) -> None:
    memory = Memory(tmp_path / "accelerator.json")
    memory.keep(KEY, Accelerator("tcg", "WHPX does not work here"), 1000)
    assert (memory.recall(KEY, 1000 + passed) is not None) is kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        json.dumps({"key": KEY, "name": "kvm", "notice": "", "when": 1}),
        '{"when": "x"}',
    ],
)
def test_a_broken_memory_means_looking_again(tmp_path: Path, text: str) -> None:
    (tmp_path / "accelerator.json").write_text(text)
    assert Memory(tmp_path / "accelerator.json").recall(KEY, 1) is None


def test_a_memory_that_cannot_be_kept_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file" / "accelerator.json")
    memory.keep(KEY, Accelerator("whpx", ""), 1)
    assert memory.recall(KEY, 1) is None
