# SPDX-License-Identifier: GPL-3.0-or-later
"""Every Molecule scenario, against real machines of a lab of its own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))

pytestmark = [pytest.mark.integration, pytest.mark.timeout(3000)]


def telling(log: str) -> str:
    """Return what a failed run says of itself: the end of the playbook that failed, and that of the whole."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", log)
    # Earlier playbooks met failures too, and were to.
    code = re.search(r"Return code: [1-9]", plain)
    failed = plain[: code.end()] if code else plain
    return f"{failed[-6000:]}\n[...]\n{plain[-2500:]}"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_passes(scenario: str, tmp_path: Path) -> None:
    log = tmp_path / "molecule.log"
    with log.open("w") as stream:
        code = molecule("test", scenario, stream)
    if code != 0:
        # A cleanup that fails keeps Molecule from taking the machines down: they would slow what follows.
        with (tmp_path / "destroy.log").open("w") as stream:
            molecule("destroy", scenario, stream)
    assert code == 0, telling(log.read_text())


def molecule(command: str, scenario: str, stream: IO[str]) -> int:
    words = ["molecule", command, "--scenario-name", scenario]
    return subprocess.run(words, cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT, check=False).returncode
