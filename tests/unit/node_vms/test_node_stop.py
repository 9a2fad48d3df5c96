# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that drains and stops a node, against a node's side of the line that is scripted."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[3] / "roles/openmosix_vm/files/openmosix-stop"


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("openmosix_stop", str(FILE))
    spec = importlib.util.spec_from_loader("openmosix_stop", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    loader.exec_module(module)
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(module, "HALT_SECONDS", 0.5)
    monkeypatch.setattr(module, "TURN_SECONDS", 0.05)
    return module


class Node:
    """A node that answers each `drain` with the next of `counts`, and goes at `halt`."""

    def __init__(self, path: Path, counts: list[int]) -> None:
        self.words: list[str] = []
        self._counts = counts
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        line, _ = self._server.accept()
        with line, line.makefile("r") as words:
            for word in words:
                self.words.append(word.strip())
                if word == "halt\n":
                    return
                if self._counts:
                    count = self._counts.pop(0) if len(self._counts) > 1 else self._counts[0]
                    line.sendall(f"drain\r\neyrie: guests {count}\r\n".encode())


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Callable[[list[int]], Node]]:
    yield lambda counts: Node(tmp_path / "console", counts)


def test_a_node_is_halted_once_it_has_no_guests(
    stop: ModuleType, node: Callable[[list[int]], Node], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = node([2, 1, 0])
    stop.main(str(tmp_path / "console"), 5.0)
    there.thread.join(5)
    assert there.words == ["drain", "drain", "drain", "halt"]
    assert capsys.readouterr().out == "the node is drained\n"


def test_after_the_deadline_the_loss_is_said(
    stop: ModuleType, node: Callable[[list[int]], Node], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = node([3])
    stop.main(str(tmp_path / "console"), 0.3)
    there.thread.join(5)
    assert there.words[-1] == "halt"
    assert capsys.readouterr().err == "3 processes of other nodes are lost: not drained in 0 s\n"


def test_a_node_that_says_nothing_does_not_hold_up_the_master(
    stop: ModuleType, node: Callable[[list[int]], Node], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node([])
    stop.main(str(tmp_path / "console"), 60.0)
    assert "stopped without being drained" in capsys.readouterr().err
    stop.main(str(tmp_path / "nothing"), 60.0)
    assert "No such file" in capsys.readouterr().err
