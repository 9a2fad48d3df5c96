# SPDX-License-Identifier: GPL-3.0-or-later
"""openMosix nodes of a lab: fake ones, or genuine ones where the environment names their images."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from eyrie.lab import Lab

ROOT = Path(__file__).parents[3]
NAMES = ("node-1", "node-2", "node-3")
COMMAND_SECONDS = 120.0
UP: list[Lab] = []  # what was made here and has to go


@dataclass(frozen=True)
class Node:
    """One node as the contract sees it: a shell behind ssh."""

    lab: Lab
    name: str
    number: int  # the contract's; whether the node has it, its table says

    @property
    def address(self) -> str:
        """Return its address as text."""
        return str(self.lab.host(self.name).address)

    @property
    def form(self) -> str:
        """Return `genuine` or `fake`, for what only one of them can show."""
        return "genuine" if self.lab.host(self.name).kind == "openmosix" else "fake"

    def sh(
        self, script: str, stdin: bytes | None = None, timeout: float = COMMAND_SECONDS
    ) -> tuple[int, str, str]:
        """Run a script of the node's shell; return exit status, output and complaints."""
        done = subprocess.run(
            [*self.lab.ssh(self.name), "--", f"/bin/sh -c {shlex.quote(script)}"],
            input=stdin or b"", capture_output=True, check=False, timeout=timeout,
        )  # fmt: skip
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


@pytest.hookimpl(trylast=True)  # what the test itself took down comes first
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Take the lab down behind the contract's last test: others that follow want the memory it takes."""
    if nextitem is None or not nextitem.path.is_relative_to(Path(__file__).parent):
        take_down()


def take_down() -> None:
    while UP:
        UP.pop().down()


@pytest.fixture(scope="session")
def nodes() -> Iterator[list[Node]]:
    """Three nodes in two subnets; the lab named by EYRIE_LAB_NAME stays, one made here goes."""
    if os.geteuid() != 0:
        pytest.skip("a lab needs root")
    given = os.environ.get("EYRIE_LAB_NAME")
    lab = Lab.load(ROOT / "inventory/openmosix-lab", given or f"contract-{os.getpid()}")
    if not given:
        UP.append(lab)
    try:
        lab.up()
        yield [Node(lab, name, number) for number, name in enumerate(NAMES, 1)]
    finally:
        take_down()
