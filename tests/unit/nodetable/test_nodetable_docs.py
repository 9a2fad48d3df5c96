# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/node-table.md: its commands run as written, and its table of surprises is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from eyrie.nodetable import judge

PAGE = (Path(__file__).parents[3] / "docs" / "node-table.md").read_text()


@pytest.mark.slow
def test_the_commands_run_as_written(tmp_path: Path) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    told = ""
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        done = subprocess.run(
            ["bash", "-euc", block],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told += done.stdout
    for words in (
        "openmosix.map: ok\n",
        "append only: 2 ranges for 304 nodes\n",
        "no change: 2 ranges",
        "+305 ",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("data", "own"),
    [
        (b" \n1 10.77.0.1 1\n", None),
        (b"\r\n1 10.77.0.1 1\n", None),
        (b" # x\n1 10.77.0.1 1\n", None),
        (b"#" + b"x" * 511 + b"\n1 10.77.0.1 1\n", None),
        (b"1 10.77.0.1+5\n", "10.77.0.5"),
        (b"1 10. 77. 0. 1 5\n", "10.77.0.5"),
        (b"1 10.77.0.256 1\n", "10.77.1.0"),
        (b"1 10.77.1 1\n", "10.77.0.1"),
        (b"1 012.1 1\n", "10.0.0.1"),
        (b"1 0x0a.1 1\n", "1.0.0.10"),
        (b"1 10.77.0.1 1\n1 10.99.0.1 0\n", "10.77.0.1"),
        (b"1 10.77.0.1 1\n1 255.255.255.255 1\n", None),
    ],
)
def test_the_surprises_are_true(data: bytes, own: str | None) -> None:
    assert judge(data, own or "10.77.0.1").accepted == (own is not None)
