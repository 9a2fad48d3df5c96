# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `desktop` by a real Ansible on the lab's Windows desktop: the real MSI, the real agent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from windows_place import WindowsDesktop, renewed_after_failure, windows_desktop
from windows_role import AGENT, Role

__all__ = ["windows_desktop"]
pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root")]


@pytest.fixture
def role(request: pytest.FixtureRequest, windows_desktop: WindowsDesktop, tmp_path: Path) -> Iterator[Role]:
    with renewed_after_failure(request, windows_desktop):
        yield Role(windows_desktop, tmp_path)


def test_a_clean_desktop_is_only_looked_at_in_check_mode(role: Role) -> None:
    role.absent()
    told = role.present("--check", "--diff")
    assert told["changed"] and "+agent: " in told["_text"]
    assert not (role.desktop.c / "Program Files/Eyrie").exists()


def test_the_life_of_an_agent(role: Role) -> None:
    role.absent()
    first = role.present("--diff")
    assert first["changed"] and first["desktop"]["outcome"] == "done", first
    assert "RUNNING" in role.desktop.said("sc query EyrieAgent")
    token = (role.desktop.c / "ProgramData/Eyrie/token").read_text().strip()
    assert token.count(".") == 2 and token not in first["_text"]
    assert not (role.desktop.c / "Program Files/Eyrie-install").exists()

    again = role.present()
    assert not again["changed"] and again["round_trips"] == 1, again

    changed = role.present("--diff", agent={**AGENT, "lease_seconds": 120})
    assert changed["changed"] and '+agent.json: "lease_seconds": 120' in changed["_text"]
    assert role.present("--check")["changed"]  # back to what it was

    role.desktop.run("sc stop EyrieAgent")
    assert role.present()["changed"]
    assert "RUNNING" in role.desktop.said("sc query EyrieAgent")

    role.desktop.power_cut()
    role.desktop.power_on()
    assert not role.present()["changed"]

    gone = role.absent()
    assert gone["changed"] and gone["desktop"]["outcome"] == "done", gone
    for place in ("Program Files/Eyrie", "ProgramData/Eyrie", "Program Files/Eyrie-install"):
        assert not (role.desktop.c / place).exists()
    assert not role.absent()["changed"]


def test_another_file_than_the_pools_is_not_installed(role: Role) -> None:
    role.absent()
    told = role.present(msi={**role.msi, "sha256": "ab" * 32})
    assert told["desktop"]["outcome"] == "the package has another hash", told
    assert not (role.desktop.c / "Program Files/Eyrie").exists()
    role.absent()


def test_wrong_credentials_have_a_name(role: Role) -> None:
    told = role.present("-e", "ansible_password=wrong")
    assert told.get("unreachable") and "credentials" in told["msg"]
