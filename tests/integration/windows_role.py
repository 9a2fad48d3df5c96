# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `desktop` as a play runs it, on the lab's Windows desktop."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from windows_place import CHECKOUT, WindowsDesktop

from eyrie.desktops.files import agent_msi

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
        self.msi = {
            "source": desktop.copy_in(Path(built.file.path), "deploy/agent.msi"),
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

    def start(self, *options: str, **changes: Any) -> subprocess.Popen[str]:
        """Begin to bring the desktop to its state; `told` waits for the end."""
        arguments = {"msi": self.msi, "agent": AGENT, "token": TOKEN, "firewall": False, **changes}
        return self._start(arguments, *options)

    def _run(self, arguments: dict[str, Any], *options: str) -> dict[str, Any]:
        return self.told(self._start(arguments, *options))

    def _start(self, arguments: dict[str, Any], *options: str) -> subprocess.Popen[str]:
        play = {
            "hosts": "win-1",
            "gather_facts": False,
            "tasks": [{"name": "Desktop", "eyrie.pool.desktop": arguments}],
        }
        (self.folder / "play.yml").write_text(yaml.safe_dump([play]))
        command = [str(CHECKOUT / ".venv/bin/ansible-playbook"), "-i", str(self.desktop.inventory)]
        told = {
            "EYRIE_LAB_NAME": self.desktop.lab.paths.name,
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
        }
        return subprocess.Popen(
            [*command, *options, str(self.folder / "play.yml")],
            cwd=CHECKOUT,
            env={**os.environ, **told},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def told(self, run: subprocess.Popen[str]) -> dict[str, Any]:
        """Return the action's result."""
        text, _ = run.communicate(timeout=540)
        assert TOKEN["signing_key"] not in text, "the signing key is told"
        start = text.find("{", text.find("win-1 |"))
        assert start >= 0, text
        result: dict[str, Any] = json.JSONDecoder().raw_decode(text[start:])[0]
        result["_text"] = text
        return result
