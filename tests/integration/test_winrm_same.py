# SPDX-License-Identifier: GPL-3.0-or-later
"""Three clients see the same from a desktop: Ansible's connection, pywinrm alone, and pypsrp.

The same table against the endpoint with a stand-in for cmd.exe, and against the lab's desktop under Wine.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from desktop_clients import CLIENTS, Client, Target, desktop
from windows_place import WindowsDesktop, windows_desktop

from eyrie.lab.windows import credentials
from eyrie.lab.wsman.runner import Order, Process, Sink
from eyrie.lab.wsman.stand_in import ShellStandIn

__all__ = ["windows_desktop"]

BINARY = bytes(range(256)) * 2048
BIG = 5_000_000
TEXT = "héllo € 😀 ß"
CODES = {0: 0, 1: 1, 255: 255, 1603: 1603, 3010: 3010, 9009: 9009, -1: 0xFFFFFFFF, -1073741510: 0xC000013A}
"""What is given to `exit`, and what comes."""


class CodedStandIn(ShellStandIn):
    """Its `exit` knows all of Windows' 32 bits."""

    def start(self, order: Order, sink: Sink) -> Process:
        coded = re.fullmatch(r"exit (-?\d+)", order.line)
        if coded:
            sink.ended(int(coded[1]) & 0xFFFFFFFF)
            order = replace(order, line="true")
            return super().start(order, _Nobody())
        return super().start(order, sink)


class _Nobody:
    def output(self, stream: str, data: bytes) -> None:
        return

    def ended(self, code: int) -> None:
        return


@dataclass(frozen=True)
class Place:
    """A desktop and its words for what the table asks."""

    target: Target
    echo: str
    both: str
    bare: str
    reverse: str
    big: str
    late: str
    slow: str
    newline: bytes
    marked: Callable[[str], bool]


SH = {
    "echo": "echo {}",
    "both": "echo one; echo two >&2; exit 3",
    "bare": "printf bare",
    "reverse": 'python3 -c "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])"',
    "big": f"head -c {BIG} /dev/zero",
    "late": "sleep 2.5; echo late",
    "slow": "sleep 4; touch {}",
    "newline": b"\n",
}


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("marks")
    with desktop(CodedStandIn()) as (endpoint, target):
        words = {**SH, "slow": f"sleep 4; touch {folder}/{{}}"}
        yield Place(target, marked=lambda name: (folder / name).exists(), **words)  # type: ignore[arg-type]
        assert len(endpoint.service.shells) == 0, "a client left its shell behind"


@pytest.fixture(scope="module")
def wine(windows_desktop: WindowsDesktop) -> Place:
    target = Target(
        5986,
        windows_desktop.authority,
        credentials.USER,
        windows_desktop.password,
        host=str(windows_desktop.host.address),
        proxy=windows_desktop.proxy,
    )
    python = windows_desktop.python()
    out = f'{python} -c "import sys; sys.stdout.buffer.write({{}})"'
    return Place(
        target,
        echo="echo {}",
        both="echo one& (echo two)>&2 & exit 3",
        bare=out.format("b'bare'"),
        reverse=out.format("sys.stdin.buffer.read()[::-1]"),
        big=out.format(f"bytes({BIG})"),
        late="ping -n 4 127.0.0.1 >nul & echo late",
        slow="ping -n 5 127.0.0.1 >nul & echo x>C:\\{}",
        newline=b"\r\n",
        marked=lambda name: (windows_desktop.c / name).exists(),
    )


NEEDS_LAB = [pytest.mark.integration, pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root")]


@pytest.fixture(
    params=[
        pytest.param("stand_in", marks=pytest.mark.slow),
        pytest.param("wine", marks=NEEDS_LAB),
    ]
)
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, place: Place) -> Iterator[Client]:
    with CLIENTS[request.param](place.target) as connected:
        yield connected


def test_exit_codes(client: Client) -> None:
    assert {given: client.run(f"exit {given}") for given in CODES} == {
        given: (seen, b"", b"") for given, seen in CODES.items()
    }


def test_output(client: Client, place: Place) -> None:
    end = place.newline
    assert client.run(place.echo.format(TEXT)) == (0, TEXT.encode() + end, b"")
    code, out, err = client.run(place.both)
    assert (code, out.rstrip(), err.rstrip()) == (3, b"one", b"two")
    assert client.run(place.bare) == (0, b"bare", b"")


def test_big_output(client: Client, place: Place) -> None:
    assert client.run(place.big) == (0, bytes(BIG), b"")


@pytest.mark.parametrize("given", [b"", b"x", b"no newline", BINARY], ids=["none", "one", "bare", "binary"])
def test_input(client: Client, place: Place, given: bytes) -> None:
    assert client.run(place.reverse, given) == (0, given[::-1], b"")


def test_what_does_not_exist(client: Client) -> None:
    code, out, err = client.run("no-such-program-of-eyrie")
    assert (code in (127, 9009), out, bool(err)) == (True, b"", True)


@pytest.mark.parametrize("name", CLIENTS)
def test_silence_longer_than_an_operation_may_take(place: Place, name: str) -> None:
    with CLIENTS[name](replace(place.target, operation_timeout=1)) as client:
        assert client.run(place.late) == (0, b"late" + place.newline, b"")


@pytest.mark.parametrize("name", CLIENTS)
def test_what_is_given_up_ends_on_the_desktop(place: Place, name: str) -> None:
    with CLIENTS[name](place.target) as client:
        client.give_up(place.slow.format(f"mark-{name}"), 1)
        assert client.run("exit 5")[0] == 5
        time.sleep(5)
        assert not place.marked(f"mark-{name}")
