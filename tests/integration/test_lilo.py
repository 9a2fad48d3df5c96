# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel role on a node that LILO boots: the scenario's own playbooks, on a machine that LILO was put on.

Debian has no package of LILO any more, and this project ships none: EYRIE_LILO names a static one
(docs/kernels.md tells how to build it). Without it nothing is tried, and nothing pretends.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_place import Recorder, traces

from eyrie.lab import Lab
from eyrie.lab.paths import Paths
from eyrie.lab.topology import load

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "molecule/openmosix_kernel"
PROGRAM = os.environ.get("EYRIE_LILO", "")
NAME = f"it-lilo-{os.getpid()}"
NODE = "lilo"
LAB = f"""
plugin: eyrie.pool.lab
name: {NAME}
subnets: {{hq: {{network: 10.77.9.0/24}}}}
hosts:
  {NODE}: {{kind: pc, subnet: hq, address: 10.77.9.41, memory_mib: 384, groups: [openmosix_kernel]}}
"""
# As an installer leaves it; LILO knows no virtio disk by itself. The kernel's own entry is the only one.
CONFIG = """
boot=/dev/vda
disk=/dev/vda
    bios=0x80
    max-partitions=7
map=/boot/map
install=text
serial=0,115200n8
lba32
delay=10
read-only
root=/dev/vda1
image=/boot/vmlinuz-RELEASE
    label=Linux
    append="console=ttyS0 net.ifnames=0 panic=10 quiet"
    initrd=/boot/initrd.img-RELEASE
"""
PUT = """
set -e
cat > /etc/lilo.conf
sed -i "s/RELEASE/$(uname -r)/" /etc/lilo.conf
rm -r /boot/grub
lilo
sync
"""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not PROGRAM, reason="EYRIE_LILO is not set: see docs/kernels.md"),
]


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder as Molecule has one, and its lab: one machine that LILO will boot from now on."""
    folder = tmp_path_factory.mktemp("lilo")
    (folder / "lab").mkdir()
    (folder / "lab/lab.yml").write_text(LAB)
    (folder / "lab/00-common.yml").symlink_to(ROOT / "inventory/common/groups.yml")
    (folder / "lab/group_vars").symlink_to(SCENARIO / "lab/group_vars")
    (folder / "files").symlink_to(SCENARIO / "files")
    lab = Lab(load(folder / "lab/lab.yml"), Paths(NAME), Recorder())
    lab.up()
    program = base64.b64encode(Path(PROGRAM).read_bytes()).decode()
    said(lab, "base64 -d > /usr/local/sbin/lilo; chmod 755 /usr/local/sbin/lilo", program)
    said(lab, PUT, CONFIG)
    lab.power_cut(NODE)
    lab.power_on(NODE)
    assert "BOOT_IMAGE=Linux" in lab.run(NODE, ["cat", "/proc/cmdline"]).stdout, "LILO did not boot it"
    yield folder
    lab.down()
    assert traces(NAME) == set()


def said(lab: Lab, script: str, given: str) -> None:
    done = lab.run(NODE, ["sh", "-c", script], input=given)
    assert done.returncode == 0, done.stdout + done.stderr


def play(scenario: Path, name: str) -> str:
    """Run one of the scenario's playbooks."""
    console = Paths(NAME).state / f"log/host.{NODE}.log"
    done = subprocess.run(
        [
            *("ansible-playbook", "-i", str(scenario / "lab"), str(SCENARIO / f"{name}.yml")),
            *("--extra-vars", f"openmosix_kernel_console_file={console}"),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "EYRIE_LAB_NAME": NAME,
            "MOLECULE_SCENARIO_DIRECTORY": str(scenario),
            "MOLECULE_EPHEMERAL_DIRECTORY": str(scenario),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    return done.stdout


def test_a_kernel_is_tried_once_falls_back_and_stays_once_it_is_well(scenario: Path) -> None:
    """A panic and a node that is not well lead back to the old kernel; it is the playbooks that assert it."""
    play(scenario, "prepare")
    assert re.search(rf"{NODE} .* changed=[1-9]", play(scenario, "converge"))
    assert re.search(rf"{NODE} .* changed=0 ", play(scenario, "converge"))
    play(scenario, "verify")
    play(scenario, "cleanup")
