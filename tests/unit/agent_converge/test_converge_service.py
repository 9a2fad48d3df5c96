# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that lost its program, as a lost power leaves it: settings of before, files of after."""

from __future__ import annotations

from pathlib import Path

from converge_world import Desktop

from eyrie.agent.converge.apply import LOST
from eyrie.agent.converge.windows_service import whole


def test_where_the_service_has_no_program_the_installer_comes_first(desktop: Desktop) -> None:
    desktop.running = LOST
    told = desktop.bring()
    assert told["outdated"] and not told["problems"] and not desktop.place.data.exists()


def test_a_service_is_whole_with_all_that_its_line_names(tmp_path: Path) -> None:
    program, agent = tmp_path / "a b" / "pythonw.exe", tmp_path / "agent.pyz"
    for line in (f'"{program}" -B "{agent}" service', f"{agent} service"):
        for path in (program, agent):
            path.parent.mkdir(exist_ok=True)
            path.touch()
        assert whole(line)
        agent.unlink()
        assert not whole(line)
