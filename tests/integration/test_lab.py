# SPDX-License-Identifier: GPL-3.0-or-later
"""A real lab on this machine: its hosts, network, packages and owners, and power that is cut."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lab_place import Recorder, nspawn_locks, said, steps, traces

from eyrie.errors import EyrieError
from eyrie.lab import Lab
from eyrie.lab.impair import Impairment
from eyrie.lab.paths import Paths
from eyrie.lab.topology import load

pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root")]

CHECKOUT = Path(__file__).parents[2]
OFFICE = """
plugin: eyrie.pool.lab
name: {name}
subnets: {{hq: {{network: 10.77.1.0/24}}, east: {{network: 10.77.2.0/24}}}}
hosts:
  master: {{kind: container, subnet: hq, address: 10.77.1.10, groups: [masters]}}
  desk: {{kind: container, subnet: east, address: 10.77.2.21, groups: [linux_desktops]}}
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of two hosts in two subnets, for all tests that leave it as it was."""
    file = tmp_path_factory.mktemp("office") / "lab.yml"
    file.write_text(OFFICE.format(name="it-office"))
    lab = Lab(load(file), Paths("it-office"), Recorder())
    locks = nspawn_locks()
    lab.up()
    mine = {
        f"inode-{root.stat().st_dev}:{root.stat().st_ino}" for root in lab.paths.state.glob("hosts/*/root")
    }
    assert mine <= nspawn_locks()
    yield lab
    assert traces("it-office")
    lab.down()
    assert traces("it-office") == set()
    assert nspawn_locks().isdisjoint(mine - locks)


def test_up_again_changes_nothing(office: Lab) -> None:
    boots = [status.seconds for status in office.status()]
    steps(office).clear()
    office.up()
    assert steps(office) == []
    assert all(now >= before for now, before in zip([s.seconds for s in office.status()], boots, strict=True))


def test_hosts_reach_one_another_through_the_router(office: Lab) -> None:
    assert "ttl=63" in said(office, "master", "ping -c1 -W5 desk")
    assert said(office, "desk", "hostname; id -un owner") == "desk\nowner"


def test_the_wire_is_captured_and_the_router_drops_what_it_is_told_to(office: Lab, tmp_path: Path) -> None:
    ask = "ping -c 2 -i 0.3 -W 1 -p 45797269 desk"  # each packet says "Eyri", again and again
    with ThreadPoolExecutor(1) as pool:
        listening = pool.submit(office.capture, "east", tmp_path / "wire.pcap", 4.0)
        time.sleep(0.5)
        said(office, "master", ask)
        assert listening.result() >= 4
    wire = (tmp_path / "wire.pcap").read_bytes()
    assert wire.count(b"EyriEyriEyri") >= 4
    office.impair(Impairment(("icmp",)))
    try:
        assert office.run("master", ["sh", "-c", ask]).returncode == 1
    finally:
        office.impair(Impairment())
    said(office, "master", ask)


def test_no_address_of_the_lab_is_known_outside(office: Lab) -> None:
    assert "10.77." not in subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    assert (
        "10.77." not in subprocess.run(["ip", "address"], capture_output=True, text=True, check=True).stdout
    )


def test_packages_come_through_the_labs_cache(office: Lab) -> None:
    said(
        office,
        "desk",
        "apt-get -q update && apt-get -q download hello && dpkg -c hello_*.deb && rm hello_*.deb",
    )
    sources = said(office, "desk", "grep -rhi uris: /etc/apt; grep -rh ^deb /etc/apt || true")
    assert {line.split()[-1].split("/")[2] for line in sources.splitlines()} == {"10.77.2.1:3142"}


def test_a_host_with_another_key_is_not_trusted(office: Lab) -> None:
    known = office.paths.known_hosts.read_text()
    office.run("desk", ["true"])
    try:
        master_key = known.splitlines()[0].split()[2]
        office.paths.known_hosts.write_text(
            "".join(" ".join([*line.split()[:2], master_key]) + "\n" for line in known.splitlines())
        )
        ssh = [*office.ssh("desk", shared=False), "true"]
        refused = subprocess.run(ssh, capture_output=True, text=True, check=False)
        assert (refused.returncode, "verification failed" in refused.stderr) == (255, True)
    finally:
        office.paths.known_hosts.write_text(known)


def test_the_owner_sits_at_a_real_terminal(office: Lab) -> None:
    with office.owner("desk") as person:
        terminal = said(office, "desk", "ps -o tty= -u owner | grep pts | sort -u")
        assert time.monotonic() - person.type() < 2
        # The kernel moves a terminal's times in steps of eight seconds, so that nobody can time a password.
        age = said(office, "desk", f"echo $(( $(date +%s) - $(stat -c %X /dev/{terminal}) ))")
        assert int(age) <= 16
    assert said(office, "desk", "ps -o tty= -u owner | grep -c pts || true") == "0"
    with pytest.raises(EyrieError, match="no owner"):
        office.owner("master")


def test_ansible_finds_and_reaches_every_host(office: Lab, tmp_path: Path) -> None:
    file = tmp_path / "lab.yml"
    file.write_text(OFFICE.format(name="another"))
    environment = {**os.environ, "EYRIE_LAB_NAME": "it-office", "ANSIBLE_NOCOLOR": "1"}
    program = Path(sys.executable).with_name("ansible")
    command = [program, "-i", str(file), "linux_desktops:masters", "-m", "ansible.builtin.ping"]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.count("ping: pong") == 2, done.stdout + done.stderr


def test_a_power_cut_says_no_goodbye_and_the_disk_survives(office: Lab) -> None:
    said(office, "desk", "echo kept > /root/file")
    watch = "exec 3<>/dev/tcp/10.77.2.21/22; cat <&3 >/dev/null & sleep 0.5; echo open; wait $!; echo closed"
    command = [*office.ssh("master", shared=False), "--", f"bash -c '{watch}'"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout is not None
        assert watcher.stdout.readline() == "open\n"
        office.power_cut("desk")
        assert {status.host.name: status.state for status in office.status()} == {
            "master": "up",
            "desk": "off",
        }
        time.sleep(2)
        assert watcher.poll() is None  # neither FIN nor RST has reached the other end
        watcher.kill()
    # A shared connection would keep on talking to nobody.
    assert {path.name.split(".")[0] for path in office.paths.sockets.iterdir()} <= {"master"}
    steps(office).clear()
    office.power_on("desk")
    assert said(office, "desk", "cat /root/file") == "kept"
    assert not any("image" in step or "master" in step for step in steps(office))


def test_a_host_that_died_is_started_again(office: Lab) -> None:
    pid = office._processes().recorded("host.desk").pid  # type: ignore[union-attr]
    os.kill(pid, signal.SIGKILL)
    steps(office).clear()
    office.up()
    assert steps(office) == ["start desk", "desk answers on 10.77.2.21"]
