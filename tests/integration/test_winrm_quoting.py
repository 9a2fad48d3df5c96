# SPDX-License-Identifier: GPL-3.0-or-later
"""What `eyrie.windows.quoting` writes, as Wine's cmd.exe and the official Windows Python read it."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desktop_clients import Target, plugin
from windows_place import WindowsDesktop, windows_desktop

from eyrie.lab.windows import credentials
from eyrie.windows import quoting

__all__ = ["windows_desktop"]
pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root")]

ALPHABET = "\\\"^&|<>()!@ \t,;='%*?[]{}~$#+-/.aZ0ü€😀"
NASTY = [
    "", " ", "\\", "\\\\", '"', '""', '\\"', 'a"b', 'a\\"b', "a\\ b", "a b\\", 'a b\\"', "^", "^^",
    "^&", "a&b", "&&", "a|b", "<in", ">out", 'x" >out', '"&calc&"', "(a)", ")", "!x!", "@echo",
    "a,b;c=d", "'q'", "*", "*.py", "?", "~1", "/c", "-c", "\ttab", "tab\t", "'\"'\"",
    "C:\\Program Files\\x\\", "\\\\server\\share\\", "ünïcode €", "😀", "a'b\"c", "x^y z", "{b}", "[c]",
    "#", "$HOME", "+", "==", "echo x", "2>&1", 'a\\\\"b\\\\', "end\\\\\\",
]  # fmt: skip
COUNT, A_LINE = 300, 12
SHOW = "import json, sys\nprint(json.dumps(sys.argv[1:]))\n"
START = """\
import json, subprocess, sys
for line in json.load(sys.stdin):
    print(subprocess.run(line, stdout=subprocess.PIPE, check=True).stdout.decode().strip())
"""


def words(allowed: str, seed: int) -> list[list[str]]:
    """Some hundred words, the same in every run, in lines."""
    dice = random.Random(seed)
    made = ["".join(dice.choices(allowed, k=dice.randint(0, 16))) for _ in range(COUNT)]
    every = [*NASTY, *(["50%", "%PATH%", "%"] if "%" in allowed else []), *made]
    return [every[start : start + A_LINE] for start in range(0, len(every), A_LINE)]


@pytest.fixture(scope="module")
def show(windows_desktop: WindowsDesktop, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A program that shows its arguments, in a place that has to be quoted."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "show.py").write_text(SHOW)
    (folder / "start.py").write_text(START)
    place = windows_desktop.copy_in(Path(folder), "quoting (x) & more")
    return [windows_desktop.python(), f"{place}\\show.py", f"{place}\\start.py"]


@pytest.fixture
def client(windows_desktop: WindowsDesktop) -> Iterator[Any]:
    target = Target(
        5986,
        windows_desktop.authority,
        credentials.USER,
        windows_desktop.password,
        host=str(windows_desktop.host.address),
        proxy=windows_desktop.proxy,
    )
    with plugin(target) as connected:
        yield connected


def different(asked: list[list[str]], got: list[list[str]]) -> list[tuple[str, str]]:
    assert [len(line) for line in got] == [len(line) for line in asked]
    pairs = [pair for two in zip(asked, got, strict=True) for pair in zip(*two, strict=True)]
    return [pair for pair in pairs if pair[0] != pair[1]]


def test_cmd_and_windows_python_give_every_word_back(client: Any, show: list[str]) -> None:
    asked = words(ALPHABET.replace("%", ""), 1)
    got = []
    for line in asked:
        code, out, err = client.run(quoting.command_line([*show[:2], *line]))
        assert code == 0, (line, out, err)
        got.append(json.loads(out))
    assert different(asked, got) == []


def test_windows_python_gives_every_word_back_without_cmd(client: Any, show: list[str]) -> None:
    asked = words(ALPHABET, 2)
    lines = [quoting.program_line([*show[:2], *line]) for line in asked]
    starter = quoting.command_line([show[0], show[2]])
    code, out, err = client.run(starter, json.dumps(lines).encode())
    assert code == 0, err
    assert different(asked, [json.loads(line) for line in out.splitlines()]) == []


def test_lines_may_be_joined(client: Any, show: list[str]) -> None:
    one, two = (quoting.command_line([*show[:2], word]) for word in ('a"&b', "c d"))
    assert client.run(f"{one} && {two}")[1].split() == [b'["a\\"&b"]', b'["c', b'd"]']
