# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for many keystrokes: more desktops, which come back sooner. Up, a pool in it, and down again."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from eyrie.errors import EyrieError
from tests.bench.office import Office, Options

ROOT = Path(__file__).parents[2]
NAME = "keys"  # beside whatever is up
DESKTOPS = 4
# The smallest values that the roles accept: what they delay is not what is measured.
SOONER = {"agent_idle_seconds": 5, "htcondor_negotiator_interval_seconds": 5}


@contextmanager
def many_desktops(options: Options) -> Iterator[Office]:
    """An office of its own, made from the inventory of another."""
    with tempfile.TemporaryDirectory(prefix="eyrie-bench-", dir="/var/tmp") as directory:
        inventory = enlarge(options.lab, Path(directory) / "lab")
        lab = ("--lab", str(inventory), "--name", NAME)
        try:
            options.say(f"lab {NAME}: {DESKTOPS} desktops, idle after {SOONER['agent_idle_seconds']} s")
            _run("eyrie", "lab", "up", *lab)
            _run("ansible-playbook", "-i", str(inventory), "site.yml")
            yield Office(dataclasses.replace(options, lab=inventory, name=NAME))
        finally:
            _run("eyrie", "lab", "down", *lab)


def enlarge(source: Path, target: Path) -> Path:
    """Copy a lab's inventory, without its secrets, giving it more desktops and less patience."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("secrets"))
    description = yaml.safe_load((target / "lab.yml").read_text())
    hosts: dict[str, Any] = {
        name: host for name, host in description["hosts"].items() if "windows_desktops" not in host["groups"]
    }
    description["hosts"] = hosts
    desktops = [host for host in hosts.values() if "linux_desktops" in host["groups"]]
    for number in range(len(desktops), DESKTOPS):
        like = desktops[number % len(desktops)]
        address = str(ipaddress.ip_address(like["address"]) + number)
        hosts[f"desk-{number + 1}"] = {**like, "address": address}
    (target / "lab.yml").write_text(yaml.safe_dump(description, sort_keys=False))
    (target / "group_vars/all/zz-sooner.yml").write_text(yaml.safe_dump(SOONER))
    return target


def _run(*command: str) -> None:
    environment = os.environ | {"EYRIE_LAB_NAME": NAME}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EyrieError(" ".join(command), seen=(done.stdout + done.stderr)[-1500:], wanted="exit status 0")
