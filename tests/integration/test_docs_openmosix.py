# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/openmosix.md, run as written: its files are written, its commands run in their order, in a lab."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from eyrie.lab import Lab

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/openmosix.md").read_text()
BLOCK = re.compile(r"^( *)```(sh|yaml)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# Done already by whoever runs this: the environment, and where genuine images are.
PREPARED = re.compile(r"^(\./run|export EYRIE)")
SECONDS = 900

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root"),
]


def blocks(section: str) -> list[tuple[str, str]]:
    """Return language and text of each block of a section."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [(language, textwrap.dedent(body)) for _, language, body in BLOCK.findall(text)]


@dataclass(frozen=True)
class Reader:
    """Somebody who types what the page says; where it says `inventory/`, a copy of it stands."""

    inventories: Path
    environment: dict[str, str]
    within: tuple[str, ...] = ()  # what the shell is started by

    def follow(self, section: str) -> str:
        """Write the section's files and run its commands; return all they said."""
        said = ""
        for language, text in blocks(section):
            if language == "yaml":
                name = text.split("\n")[0].removeprefix("# inventory/")
                (self.inventories / name).write_text(text)
                continue
            said += self.type("".join(line for line in text.splitlines(True) if not PREPARED.search(line)))
        return said

    def type(self, text: str) -> str:
        """Run lines; each has to succeed."""
        here = text.replace("inventory/", f"{self.inventories}/")
        path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        done = subprocess.run(
            [*self.within, "sh", "-ec", here],
            cwd=ROOT, env=os.environ | self.environment | path, capture_output=True, text=True, check=False,
            timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stdout[-4000:]}{done.stderr[-2000:]}"
        return done.stdout


@pytest.fixture
def inventories(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "inventory", tmp_path / "inventory", symlinks=True)
    return tmp_path / "inventory"


def test_the_lab_of_the_page(inventories: Path) -> None:
    name = f"docs-{os.getpid()}"
    reader = Reader(inventories, {"EYRIE_LAB_NAME": name})
    try:
        # The same commands are said to make a pool of genuine nodes where images are named.
        said = reader.follow("In the lab, with fake nodes") + reader.follow("In the lab, with genuine nodes")
    finally:
        Lab.load(ROOT / "inventory/openmosix-lab", name).down()
    assert "This is openMosix #1" in said
    assert re.search(r"^\d+ [1-9]\d*$", said, re.MULTILINE), f"nothing moved: {said}"


@dataclass(frozen=True)
class Office:
    """A lab whose nodes have the addresses of the page."""

    lab: Lab
    reader: Reader

    def sh(self, node: str, line: str) -> str:
        """Run a line on a node."""
        done = self.lab.run(node, ["sh", "-c", line], timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def office(inventories: Path, tmp_path: Path) -> Iterator[Office]:
    described = yaml.safe_load(dict(reversed(blocks("At your own site")))["yaml"])
    nodes = described["all"]["children"]["openmosix_nodes"]["hosts"]
    hosts = {
        name: {
            "kind": "openmosix",
            "subnet": "office",
            "address": own["ansible_host"],
            "groups": ["openmosix_nodes"],
        }
        for name, own in nodes.items()
    }
    file = tmp_path / "lab.yml"
    file.write_text(yaml.safe_dump({"subnets": {"office": {"network": "192.0.2.0/24"}}, "hosts": hosts}))
    lab = Lab.load(file, f"docs-own-{os.getpid()}")
    environment = {
        "ANSIBLE_PRIVATE_KEY_FILE": str(lab.paths.node_key),  # the reader's own
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(tmp_path / "ssh"),
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=5s",
        "ANSIBLE_NOCOLOR": "1",
    }
    net = f"--net=/run/netns/{lab.topology.router_namespace}"
    try:
        lab.up()
        made = Office(lab, Reader(inventories, environment, ("nsenter", net, "--")))
        for node in nodes:  # what genuine ones measure on a busy machine says nothing of them
            made.sh(node, "mosctl setspeed 10000")
        yield made
    finally:
        lab.down()


def test_an_own_site(office: Office) -> None:
    said = office.reader.follow("At your own site")
    assert re.search(r"^2\s*$", said.partition("node-1 | CHANGED | rc=0 >>")[2], re.MULTILINE), said[-600:]
    assert office.sh("node-1", "mosctl whois; mosctl isup 2") == "This is openMosix #1\nyes"
    site = office.reader.inventories / "mysite"
    assert (site / "openmosix-numbers.yml").exists()
    keys = (site / "openmosix_known_hosts.txt").read_text()
    assert all(f"192.0.2.1{number} ssh-rsa " in keys for number in (1, 2))
    again = office.reader.type("ansible-playbook -i inventory/mysite site.yml")
    assert set(re.findall(r"changed=(\d+)", again)) == {"0"}
    drain, resume, retire = blocks("Empty a node, and take it out")[0][1].splitlines()
    admin = "cd /proc/hpc/admin; cat mospe block lstay"
    for line, wanted in ((drain, "2 1 1"), (resume, "2 0 0"), (retire, "0 0 0")):
        office.reader.type(line)
        assert office.sh("node-2", admin).split() == wanted.split(), line
