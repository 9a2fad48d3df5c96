# SPDX-License-Identifier: GPL-3.0-or-later
"""Old ssh algorithms are for openMosix nodes alone: asked of ssh itself, with what Ansible would tell it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAMILIES = ("masters", "linux_desktops", "openmosix_nodes")
INVENTORY = "all:\n  children:\n" + "".join(
    f"    {family}: {{hosts: {{{family.replace('_', '-')}: {{ansible_host: 192.0.2.{number}}}}}}}\n"
    for number, family in enumerate(FAMILIES, 1)
)
OLD = ("diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1", "ssh-rsa", "ssh-dss", "aes128-cbc")
LISTS = ("kexalgorithms", "hostkeyalgorithms", "pubkeyacceptedalgorithms", "ciphers", "macs")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inventory with a host of every family reached by ssh, in a directory with a blank in its name."""
    directory = tmp_path_factory.mktemp("a site")
    (directory / "00-common.yml").symlink_to(ROOT / "inventory/common/groups.yml")
    (directory / "hosts.yml").write_text(INVENTORY)
    return directory


def effective(site: Path, family: str) -> dict[str, list[str]]:
    """What ssh would do, as `ssh -G` prints it."""
    name = family.replace("_", "-")
    program = Path(sys.executable).with_name("ansible")
    show = "{{ [ansible_ssh_common_args | default(''), ansible_ssh_extra_args | default('')] }}"
    command = [program, "-i", str(site), name, "-m", "ansible.builtin.debug", "-a", f"msg={show}"]
    environment = {**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.partition("=> ")[2])["msg"]
    arguments = [word for part in said for word in shlex.split(part)]
    printed = subprocess.run(
        ["ssh", "-F", "none", "-G", *arguments, "192.0.2.1"], capture_output=True, text=True, check=True
    ).stdout
    rows = (line.partition(" ") for line in printed.splitlines())
    return {key: value.split("," if key in LISTS else None) for key, _, value in rows}


def test_nodes_get_the_old_algorithms_and_no_others(site: Path) -> None:
    options = effective(site, "openmosix_nodes")
    assert {key: options[key] for key in LISTS} == {
        "kexalgorithms": ["diffie-hellman-group-exchange-sha1"],
        "hostkeyalgorithms": ["ssh-rsa"],
        "pubkeyacceptedalgorithms": ["ssh-rsa"],
        "ciphers": ["aes128-ctr"],
        "macs": ["hmac-sha1"],
    }


def test_a_nodes_host_key_is_pinned_in_the_pools_own_file(site: Path) -> None:
    options = effective(site, "openmosix_nodes")
    assert " ".join(options["userknownhostsfile"]) == str(site / "openmosix_known_hosts.txt")
    assert options["stricthostkeychecking"] == ["accept-new"]


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "openmosix_nodes"])
def test_no_other_family_accepts_them(site: Path, family: str) -> None:
    options = effective(site, family)
    assert not {name for key in LISTS for name in options[key]} & set(OLD)
    assert str(site) not in " ".join(options["userknownhostsfile"])
