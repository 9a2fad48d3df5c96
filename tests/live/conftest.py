# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool of genuine openMosix nodes in a lab, made by the playbooks a site would use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from eyrie.errors import EyrieError
from eyrie.lab import Lab
from eyrie.lab.node_choice import KERNEL, RAMDISK, given

ROOT = Path(__file__).parents[2]
LAB = ROOT / "inventory/openmosix-lab"
# A machine without KVM, perhaps busy: genuine nodes keep their own pace.
PATIENCE_SECONDS = 120.0
PLAYBOOK_SECONDS = 600.0
FIGURES: list[str] = []  # measured, printed at the end


@dataclass(frozen=True)
class Site:
    """A site's inventory, and the lab that is its office."""

    lab: Lab
    inventory: Path
    figures: list[str]

    def sh(self, node: str, line: str) -> str:
        """Run a line on a node."""
        done = self.lab.run(node, ["sh", "-c", line], timeout=PATIENCE_SECONDS)
        assert done.returncode == 0, f"{node}: {line}: {done.stderr}"
        return done.stdout.strip()

    def playbook(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook; whether it should succeed is the caller's to say."""
        return self._ansible("ansible-playbook", str(ROOT / name), *arguments)

    def module(self, hosts: str, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one module."""
        return self._ansible("ansible", hosts, "-m", f"eyrie.pool.{name}", *arguments)

    def rewrite(self, change: Callable[[dict[str, dict]], None]) -> None:  # type: ignore[type-arg]
        """Change the site's lab.yml, as an administrator would: the lab itself stays as it is."""
        file = self.inventory / "lab.yml"
        document = yaml.safe_load(file.read_text())
        change(document["hosts"])
        file.write_text(yaml.safe_dump(document))

    def until(self, what: str, condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> float:
        """Wait for something; return how long it took."""
        begin = time.monotonic()
        while not condition():
            assert time.monotonic() < begin + seconds, f"within {seconds:.0f} s not: {what}"
            time.sleep(0.2)
        return time.monotonic() - begin

    def _ansible(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [Path(sys.executable).with_name(program), "-i", str(self.inventory), *arguments]
        environment = {**os.environ, "EYRIE_LAB_NAME": self.lab.topology.name, "ANSIBLE_NOCOLOR": "1"}
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PLAYBOOK_SECONDS,
        )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without the images nothing here runs, and nothing pretends to have."""
    here = [item for item in items if Path(item.fspath).is_relative_to(Path(__file__).parent)]
    reason = ""
    try:
        reason = "" if given(os.environ) else f"{KERNEL} and {RAMDISK} are not set: see ./run live"
    except EyrieError as error:
        reason = str(error)
    for item in here:
        item.add_marker(pytest.mark.live)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    for figure in FIGURES:
        terminalreporter.write_line(f"measured: {figure}")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The lab up, with an inventory that may be changed; a lab named by EYRIE_LAB_NAME stays."""
    inventory = tmp_path_factory.mktemp("site")
    shutil.copytree(LAB, inventory, symlinks=False, dirs_exist_ok=True)
    named = os.environ.get("EYRIE_LAB_NAME")
    lab = Lab.load(LAB, named or f"live-{os.getpid()}")
    assert all(host.kind == "openmosix" for host in lab.topology.hosts), "only genuine nodes"
    try:
        lab.up()
        for host in lab.topology.hosts:  # as it was before it became a member of any pool
            forget = "setpe -off; : > /etc/openmosix.map; mosctl noblock; mosctl nolstay; mosctl nostay"
            # What they measure at boot on a busy machine says nothing of them, and decides who gets guests.
            forget += "; mosctl setspeed 10000"
            lab.run(host.name, ["sh", "-c", forget], timeout=PATIENCE_SECONDS)
        yield Site(lab, inventory, FIGURES)
    finally:
        if not named:
            lab.down()
