# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `desktop` by a real Ansible on the lab's Windows desktop: the real MSI, the real agent."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from windows_place import CHECKOUT, WindowsDesktop, windows_desktop

from eyrie.desktops.files import agent_msi

__all__ = ["windows_desktop"]
pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root")]

AGENT: dict[str, Any] = {
    "version": 1,
    "name": "win-1",
    "idle": {
        "seconds": 900,
        "poll_seconds": 0.5,
        "sources": ["sessions", "power", "load"],
        "foreign_cpu_percent": 100,
        "calendar": [],
        "ignored_users": [],
    },
    "evict": {"grace_seconds": 5},
    "backoff": {"first_seconds": 10, "max_seconds": 600},
    "lease_seconds": 60,
    "start_timeout_seconds": 300,
    "guest": {
        "backend": "qemu",
        "image": "{data}\\items\\none",
        "program": "{data}\\items\\none\\qemu-system-x86_64.exe",
        "image_id": "none",
        "memory_mib": 256,
        "cpus": 1,
        "cpu_percent": 100,
        "user": "",
        "token": "{data}\\token",
        "accel": "tcg",
    },
    "pool": {"name": "lab", "engine": "htcondor", "master": "10.79.8.10", "port": 9618},
}
TOKEN = {
    "issuer": "lab",
    "identity": "desktop-win-1@lab",
    "scopes": ["ADVERTISE_STARTD"],
    "lifetime_seconds": 2592000,
    "signing_key": "MadeForThisTestOnlyNotTheKeyOfAnyPool",
}


class Role:
    """Runs the action as a play does."""

    def __init__(self, desktop: WindowsDesktop, folder: Path) -> None:
        self.desktop, self.folder = desktop, folder
        built = agent_msi()
        source = desktop.copy_in(Path(built.file.path), "deploy/agent.msi")
        self.msi = {
            "source": source,
            "sha256": built.file.sha256,
            "size": built.file.size,
            "version": built.version,
            "release": built.release,
            "product_code": built.product_code,
        }

    def present(self, *options: str, **changes: Any) -> dict[str, Any]:
        arguments = {"msi": self.msi, "agent": AGENT, "token": TOKEN, "firewall": False, **changes}
        return self._run(arguments, *options)

    def absent(self, *options: str) -> dict[str, Any]:
        return self._run({"state": "absent"}, *options)

    def _run(self, arguments: dict[str, Any], *options: str) -> dict[str, Any]:
        play = {
            "hosts": "win-1",
            "gather_facts": False,
            "tasks": [{"name": "Desktop", "eyrie.pool.desktop": arguments}],
        }
        (self.folder / "play.yml").write_text(yaml.safe_dump([play]))
        done = subprocess.run(
            [
                CHECKOUT / ".venv/bin/ansible-playbook",
                "-i",
                self.desktop.inventory,
                *options,
                self.folder / "play.yml",
            ],
            cwd=CHECKOUT,
            env={
                **os.environ,
                "EYRIE_LAB_NAME": self.desktop.lab.paths.name,
                "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
                "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
            },
            capture_output=True,
            text=True,
            timeout=540,
        )
        text = done.stdout
        assert TOKEN["signing_key"] not in text, "the signing key is told"
        start = text.find("{", text.find("win-1 |"))
        assert start >= 0, f"{text}\n{done.stderr}"
        result: dict[str, Any] = json.JSONDecoder().raw_decode(text[start:])[0]
        result["_text"] = text
        return result


@pytest.fixture
def role(windows_desktop: WindowsDesktop, tmp_path: Path) -> Role:
    return Role(windows_desktop, tmp_path)


def test_a_clean_desktop_is_only_looked_at_in_check_mode(role: Role) -> None:
    role.absent()
    told = role.present("--check", "--diff")
    assert told["changed"] and "+agent: " in told["_text"]
    assert not (role.desktop.c / "Program Files/Eyrie").exists()


def test_the_life_of_an_agent(role: Role) -> None:
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
