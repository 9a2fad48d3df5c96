# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles windows_agent and colinux make of an inventory, by Ansible itself; no desktop is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COLLECTIONS = ROOT / ".collections"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not COLLECTIONS.exists(), reason="the checkout is not linked as a collection"),
]
FILE = {"name": "f", "sha256": "ab" * 32, "size": 1}
MADE = {
    "msi": {**FILE, "version": "0.4.0", "release": "r", "product_code": "{}"},
    "qemu": FILE,
    "guest_image": {**FILE, "image_id": "id"},
}
BOTH = ["windows_agent", "colinux"]
PLAY = """
- hosts: desk-1
  gather_facts: false
  vars:
    __windows_agent_files: {windows_files: "{{ made }}"}
  tasks:
    - ansible.builtin.include_role: {name: eyrie.pool.windows_agent, tasks_from: validate, public: true}
    - ansible.builtin.copy:
        dest: "{{ result }}"
        content: "{{ {'agent': __windows_agent_configuration, 'items': __windows_agent_items} | to_json }}"
      delegate_to: localhost
"""


COLINUX = """
- hosts: desk-1
  gather_facts: false
  tasks:
    - ansible.builtin.include_vars: {file: "{{ defaults }}"}
    - ansible.builtin.copy:
        dest: "{{ result }}"
        content: "{{ [colinux_start, colinux_busy_windows, colinux_busy_lead_minutes] | to_json }}"
      delegate_to: localhost
"""


def rendered(folder: Path, groups: list[str], play: str = PLAY, **variables: Any) -> Any:
    """Return what the agent of desk-1 is handed, or why that was refused."""
    inventory = {
        "all": {
            "hosts": {"desk-1": {"ansible_connection": "local", **variables}},
            "children": {name: {"hosts": {"desk-1": {}}} for name in groups},
            "vars": {
                "windows_agent_pool_name": "lab",
                "windows_agent_master_address": "10.77.0.1",
                "windows_agent_depot_url": "https://10.77.0.1:8443",
                "made": MADE,
                "defaults": str(ROOT / "roles/colinux/defaults/main.yml"),
                "result": str(folder / "result"),
                "ansible_python_interpreter": sys.executable,
            },
        }
    }
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory))
    (folder / "play.yml").write_text(play)
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
    argv = ["ansible-playbook", "-i", str(folder / "hosts.yml"), str(folder / "play.yml")]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        return done.stdout + done.stderr
    return json.loads((folder / "result").read_text())


def test_qemu_is_the_usual_backend(tmp_path: Path) -> None:
    told = rendered(tmp_path, ["windows_agent"])
    assert isinstance(told, dict), told
    assert told["agent"]["guest"]["backend"] == "qemu"
    assert (told["agent"]["evict"]["grace_seconds"], told["agent"]["pool"]["engine"]) == (5, "htcondor")
    assert [item["name"] for item in told["items"]] == ["qemu", "guest-image"]


def test_colinux_gets_the_guest_that_its_role_installs(tmp_path: Path) -> None:
    told = rendered(
        tmp_path,
        ["windows_agent", "colinux"],
        windows_agent_guest_backend="colinux",
        windows_agent_colinux_answer_port=22,
        colinux_address="10.77.0.21/24",
        colinux_folder=r"D:\guest",
    )
    assert isinstance(told, dict), told
    assert told["agent"]["guest"] == {
        "backend": "colinux",
        "folder": r"D:\guest",
        "service": "EyrieGuest",
        "network": "bridge",
        "image": r"D:\guest\root_fs",
        "image_id": "colinux-0.6.1",
        "answer": {"address": "10.77.0.21", "port": 22},
    }
    assert (told["agent"]["evict"]["grace_seconds"], told["agent"]["pool"]["engine"]) == (60, "none")
    assert told["items"] == []


@pytest.mark.parametrize(
    ("groups", "variables", "said"),
    [
        (["windows_agent"], {}, "wanted desk-1 in group colinux"),
        (["windows_agent", "colinux", "colinux_hours"], {}, "not in colinux_hours"),
        (BOTH, {"windows_agent_guest_network": "hub"}, "windows_agent_guest_network outbound"),
        (BOTH, {"windows_agent_evict_grace_seconds": 5}, "evict.grace_seconds: found 5"),
    ],
)
def test_what_does_not_go_with_colinux_is_refused(
    tmp_path: Path, groups: list[str], variables: dict[str, Any], said: str
) -> None:
    told = rendered(tmp_path, groups, windows_agent_guest_backend="colinux", **variables)
    assert isinstance(told, str)
    assert said in " ".join(told.split())


HOURS = [{"days": ["mon"], "from": "07:00", "to": "19:00"}]


@pytest.mark.parametrize(
    ("groups", "variables", "told"),
    [
        (["colinux"], {}, ["auto", [], 10]),
        (BOTH, {"windows_agent_guest_backend": "colinux"}, ["agent", [], 10]),
        (["colinux"], {"windows_agent_guest_backend": "colinux"}, ["auto", [], 10]),
        (["colinux", "colinux_hours"], {"colinux_hours_busy_windows": HOURS}, ["auto", HOURS, 10]),
        (
            ["colinux"],
            {"colinux_hours_busy_windows": HOURS, "colinux_hours_stop_minutes": 9},
            ["auto", [], 14],
        ),
    ],
)
def test_role_colinux_knows_who_starts_its_guest_and_when(
    tmp_path: Path, groups: list[str], variables: dict[str, Any], told: list[Any]
) -> None:
    assert rendered(tmp_path, groups, COLINUX, **variables) == told
