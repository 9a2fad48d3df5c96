# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of openMosix nodes, fake unless the environment names images."""

from __future__ import annotations

import io
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from eyrie.lab import Lab, report
from eyrie.lab.node_choice import form

pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root")]

ROOT = Path(__file__).parents[2]
MAP = "1 10.78.1.11 2\\n3 10.78.2.11 1\\n4 10.78.3.11 1\\n"
DOWN_SECONDS = 3.0


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    lab = Lab.load(ROOT / "inventory/openmosix-lab", f"it-nodes-{os.getpid()}")
    try:
        lab.up()
        for host in lab.topology.hosts:
            said(lab, host.name, f"printf '{MAP}' > /etc/openmosix.map; setpe -W -f /etc/openmosix.map")
        yield lab
    finally:
        lab.down()


def said(lab: Lab, host: str, line: str) -> str:
    done = lab.run(host, ["sh", "-c", line], timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def until(lab: Lab, host: str, number: int, state: str, seconds: float = 30.0) -> float:
    """Wait until a node sees another in a state; return how long it took."""
    begin = time.monotonic()
    while said(lab, host, f"mosctl status {number}") != state:
        assert time.monotonic() < begin + seconds, f"node {number} is not {state}"
        time.sleep(0.2)
    return time.monotonic() - begin


def test_nodes_of_three_subnets_see_one_another(lab: Lab) -> None:
    for host in ("node-1", "node-3"):
        for number in (1, 2, 3, 4):
            until(lab, host, number, "up.")


def test_a_node_is_what_a_manager_of_bare_nodes_expects(lab: Lab) -> None:
    assert said(lab, "node-1", "uname -r") == "2.4.26-om"
    assert said(lab, "node-1", "hostname") == "chaos-a4e010b"
    for program in ("awk", "tr", "python3", "sudo", "stat", "expr"):
        assert lab.run("node-1", ["which", program]).stdout.strip() == ""
    refused = lab.run("node-1", ["sh", "-c", "echo a | grep -E a"])
    assert refused.returncode != 0


def test_what_is_fake_says_so(lab: Lab) -> None:
    fakes = [host for host in lab.topology.hosts if form(host) == "fake"]
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(report.host_table(lab.topology.name, lab.status()))
    assert console.export_text().count("fake openMosix node") == len(fakes)
    for host in fakes:
        assert "fake openMosix node" in said(lab, host.name, "cat /etc/motd")
        assert "fake openMosix node" in said(lab, host.name, "uname -v; cat /proc/hpc/admin/version")


def test_todays_algorithms_alone_do_not_get_in(lab: Lab) -> None:
    program, *arguments = lab.ssh("node-1", shared=False)
    modern = ["-oKexAlgorithms=curve25519-sha256", "-oLogLevel=INFO"]  # ssh takes what it is told first
    refused = subprocess.run(
        [program, *modern, *arguments, "true"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 255
    assert "no matching key exchange" in refused.stderr


def test_a_computing_process_leaves_and_comes_back_from_a_drained_node(lab: Lab) -> None:
    burn = "echo 'while :; do i=1; done' > /tmp/burn; sh /tmp/burn > /dev/null 2>&1 < /dev/null & echo $!"
    pid = said(lab, "node-1", burn)
    try:
        deadline = time.monotonic() + 30
        while (where := said(lab, "node-1", f"cat /proc/{pid}/where")) == "0":
            assert time.monotonic() < deadline, "it stays at home"
            time.sleep(0.5)
        host = f"node-{where}"
        assert f"pid={pid}" in said(lab, host, "cat /proc/hpc/remote/*/identity")
        said(lab, "node-1", "mosctl lstay")
        said(lab, host, "mosctl block; mosctl expel")
        while said(lab, host, "ls /proc/hpc/remote"):
            assert time.monotonic() < deadline, "a guest stays"
            time.sleep(0.2)
        assert said(lab, "node-1", f"cat /proc/{pid}/where") == "0"
        said(lab, host, "mosctl noblock")
    finally:
        said(lab, "node-1", f"kill -9 {pid}; mosctl nolstay")


def test_a_power_cut_is_seen_in_time_and_the_node_comes_back_without_a_table(lab: Lab) -> None:
    until(lab, "node-1", 3, "up.")
    lab.power_cut("node-3")
    # Asking takes its time, too, on a busy machine.
    assert until(lab, "node-1", 3, "down.") < DOWN_SECONDS + 2
    lab.power_on("node-3")
    assert said(lab, "node-3", "cat /proc/hpc/admin/mospe") == "0"
    said(lab, "node-3", f"printf '{MAP}' | setpe -W -f -")
    until(lab, "node-1", 3, "up.")


def test_the_console_is_in_the_labs_state(lab: Lab) -> None:
    log = (lab.paths.state / "log/host.node-1.log").read_text(errors="replace")
    assert ("fake openMosix node" if form(lab.topology.hosts[0]) == "fake" else "openMosix") in log
