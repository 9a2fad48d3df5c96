# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading
import time

import pytest

from eyrie.lab.wsman.runner import Order, Stream
from eyrie.lab.wsman.stand_in import ShellStandIn


class Heard:
    def __init__(self) -> None:
        self.told: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        self.code: int | None = None
        self.over = threading.Event()

    def output(self, stream: Stream, data: bytes) -> None:
        self.told[stream] += data

    def ended(self, code: int) -> None:
        self.code = code
        self.over.set()


def run(line: str, given: bytes = b"", **order: object) -> Heard:
    heard = Heard()
    process = ShellStandIn().start(Order(line, **order), heard)  # type: ignore[arg-type]
    assert process.write(given, 10) == len(given)
    process.close_input()
    assert heard.over.wait(30)
    return heard


def test_runs_a_line() -> None:
    heard = run("echo out; echo err >&2; cat; exit 7", b"in")
    assert (heard.told, heard.code) == ({"stdout": b"out\nin", "stderr": b"err\n"}, 7)


def test_reads_a_line_as_slash_c_does() -> None:
    assert run('"printf %s "a b""').told["stdout"] == b"a b"
    assert run('"printf" x', skip_cmd=True).told["stdout"] == b"x"


def test_takes_directory_and_environment() -> None:
    heard = run("pwd; echo $A", directory="/", environment={"A": "ü"})
    assert heard.told["stdout"] == "/\nü\n".encode()


def test_kills_with_all_that_was_started() -> None:
    heard = Heard()
    process = ShellStandIn().start(Order("sleep 60 & echo ready; sleep 60"), heard)
    while not heard.told["stdout"]:
        time.sleep(0.01)
    process.kill()
    assert heard.over.wait(10) and heard.code == 128 + 9


def test_ctrl_c() -> None:
    heard = Heard()
    process = ShellStandIn().start(Order("trap 'echo caught; exit 5' INT; echo ready; sleep 60"), heard)
    while not heard.told["stdout"]:
        time.sleep(0.01)
    process.interrupt()
    assert heard.over.wait(10) and (heard.told["stdout"], heard.code) == (b"ready\ncaught\n", 5)


def test_says_how_much_was_taken() -> None:
    heard = Heard()
    process = ShellStandIn().start(Order("sleep 60"), heard)
    assert 0 < process.write(b"x" * 1_000_000, 0.2) < 1_000_000
    process.kill()
    heard.over.wait(10)
    with pytest.raises(BrokenPipeError):
        process.write(b"x", 1)


def test_says_what_it_is() -> None:
    assert "stand-in" in ShellStandIn.name
