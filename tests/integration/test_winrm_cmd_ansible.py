# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of Ansible over the desktop's connection, with the group's own settings."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest
from desktop_clients import CHECKOUT, PASSWORD, USER, Target, desktop

from eyrie.lab.wsman.server import Endpoint
from eyrie.lab.wsman.settings import Account, Settings
from eyrie.lab.wsman.stand_in import ShellStandIn

pytestmark = pytest.mark.slow


class Ansible:
    """A real run of Ansible against one desktop."""

    def __init__(self, folder: Path, place: Target) -> None:
        self.folder = folder
        variables = {
            "ansible_host": "127.0.0.1",
            "ansible_port": place.port,
            "ansible_winrm_scheme": "http",
            "ansible_user": USER,
            "ansible_password": PASSWORD,
        }
        (folder / "hosts.yml").write_text(json.dumps({"windows_desktops": {"hosts": {"pc1": variables}}}))
        (folder / "groups.yml").symlink_to(CHECKOUT / "inventory/common/groups.yml")

    def run(self, *arguments: str) -> tuple[int, str]:
        inventories = ["-i", self.folder / "groups.yml", "-i", self.folder / "hosts.yml"]
        done = subprocess.run(
            [CHECKOUT / ".venv/bin/ansible", *inventories, "pc1", *arguments],
            cwd=CHECKOUT,
            env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "minimal", "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr


def test_a_real_raw(tmp_path: Path) -> None:
    with desktop() as (endpoint, place):
        code, told = Ansible(tmp_path, place).run("-m", "raw", "-a", "echo grüß; exit 3")
        assert code == 2 and "rc=3" in told and "grüß" in told
        assert len(endpoint.service.shells) == 0


def test_a_real_wait(tmp_path: Path) -> None:
    with Endpoint(Settings((Account(USER, PASSWORD),)), ShellStandIn()) as earlier:
        port = earlier.port
    ansible = Ansible(tmp_path, Target(port))
    later = Endpoint(Settings((Account(USER, PASSWORD),)), ShellStandIn(), ("127.0.0.1", port))
    threading.Timer(3, later.start).start()
    try:
        code, told = ansible.run("-m", "wait_for_connection", "-a", "timeout=60")
        assert code == 0 and "elapsed" in told
        assert len(later.service.shells) == 0
    finally:
        later.stop()


def test_a_task_that_takes_too_long_is_ended_on_the_desktop(tmp_path: Path) -> None:
    with desktop() as (endpoint, place):
        mark = tmp_path / "survived"
        line = f"sleep 4; touch {mark}"
        code, told = Ansible(tmp_path, place).run("-m", "raw", "-a", line, "--task-timeout", "2")
        assert code != 0 and "2" in told
        assert len(endpoint.service.shells) == 0
        time.sleep(4)
        assert not mark.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-m", "setup"], "found 'setup'"),
        (["-m", "copy", "-a", "src=/etc/hostname dest=C:/x"], "module on a desktop without PowerShell"),
        (
            ["-m", "raw", "-a", "true", "--become", "--become-method", "runas", "--become-user", "x"],
            "become has no effect",
        ),
        (["-m", "raw", "-a", "powershell -EncodedCommand AAAA"], "module on a desktop without PowerShell"),
    ],
)
def test_what_needs_powershell_is_refused_by_name(tmp_path: Path, arguments: list[str], words: str) -> None:
    with desktop() as (_, place):
        code, told = Ansible(tmp_path, place).run(*arguments)
    assert code != 0 and words in " ".join(told.split())
