# SPDX-License-Identifier: GPL-3.0-or-later
"""A Windows desktop of the lab: its MSI, a run where nothing is to do, and what the agent costs at rest."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eyrie.desktops.files import Msi, agent_msi
from eyrie.errors import EyrieError
from eyrie.lab import Lab
from eyrie.lab.paths import Paths
from eyrie.lab.progress import Silent
from eyrie.lab.topology import load
from eyrie.lab.windows.desktop import DRIVE
from tests.bench.figure import Figure
from tests.bench.playbook import ROOT, Times, play
from tests.bench.processes import command, cpu_seconds, of_namespace

NAME = f"figures-{os.getpid()}"  # beside whatever is up
HOST = "win-1"
OFFICE = f"""
plugin: eyrie.pool.lab
name: {NAME}
subnets: {{hq: {{network: 10.79.9.0/24}}}}
hosts:
  {HOST}: {{kind: windows, subnet: hq, address: 10.79.9.21, groups: [windows_desktops]}}
"""
PACKAGE = r"C:\eyrie-bench\agent.msi"
RUNS = 5
SETTLE_SECONDS, REST_SECONDS = 30.0, 60.0
INSTALL_NOTE = "`msiexec /i` as a `raw` task, from its start to its result; Wine's own installer."
SIZE_NOTE = "Embeddable Python, agent, service; without QEMU and the guest's image, which are depot items."
AGAIN_NOTE = (
    "The action `eyrie.pool.desktop` as a task, start to result: a worker of Ansible, TLS, NTLM, the agent's "
    "Python started under Wine, its facts and comparison."
)
REST_NOTE = (
    f"Over {REST_SECONDS:.0f} s with its owner logged in, service and helper in the session together, by "
    "Linux's own clocks; Wine's server, which works for them, is the line after."
)


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Bring a desktop up, install, converge, and let it be."""
    msi = agent_msi()
    with (
        tempfile.TemporaryDirectory(prefix="eyrie-bench-windows-", dir="/var/tmp") as directory,
        _lab(Path(directory)) as (lab, inventory),
    ):
        say("MSI, then the action on one desktop")
        times = _plays(Path(directory), lab, inventory, msi)
        say(f"at rest: {REST_SECONDS:.0f} s")
        agent, server = _at_rest(lab)
    installed, first, *again = (each["seconds"] for each in times.tasks)
    say(f"installed in {installed:.1f} s, converged in {first:.1f} s")
    trips = tuple(float(each["round_trips"]) for each in times.tasks[2:])
    size = msi.file.size / 1e6
    return [
        Figure("MSI: size", 15, "MB", (size,), "max", SIZE_NOTE),
        Figure("MSI: installed on a lab desktop", 20, "s", (installed,), "max", INSTALL_NOTE),
        Figure("unchanged Windows desktop, by the action", 1.5, "s", tuple(again), "max", AGAIN_NOTE),
        Figure("unchanged Windows desktop: commands", 3, "commands", trips),
        Figure("agent on Windows at rest: CPU", 0.3, "% of one core", (agent,), "max", REST_NOTE),
        Figure("Wine's server meanwhile: CPU", None, "% of one core", (server,)),
    ]


@contextmanager
def _lab(folder: Path) -> Iterator[tuple[Lab, Path]]:
    inventory = folder / "inventory"
    inventory.mkdir()
    (inventory / "lab.yml").write_text(OFFICE)
    (inventory / "00-common.yml").symlink_to(ROOT / "inventory/common/groups.yml")
    lab = Lab(load(inventory / "lab.yml"), Paths(NAME), Silent())
    try:
        lab.up()
        yield lab, inventory
    finally:
        lab.down()


def _plays(folder: Path, lab: Lab, inventory: Path, msi: Msi) -> Times:
    target = lab.paths.root(HOST) / DRIVE / "eyrie-bench/agent.msi"
    target.parent.mkdir()
    shutil.copy(msi.file.path, target)
    install = f'start "" /wait msiexec /i {PACKAGE} /qn /norestart'
    tasks = [{"name": "MSI", "ansible.builtin.raw": install}, *[_action(msi) for _ in range(RUNS + 1)]]
    times = play(folder, inventory, "desktop", tasks, EYRIE_LAB_NAME=NAME)
    changed = [each["changed"] for each in times.tasks]
    if changed != [True, True, *[False] * RUNS]:
        raise EyrieError("runs of the action", seen=changed, wanted="the second of them to change nothing")
    return times


def _action(msi: Msi) -> dict[str, Any]:
    package = {
        "source": PACKAGE,
        "sha256": msi.file.sha256,
        "size": msi.file.size,
        "version": msi.version,
        "release": msi.release,
        "product_code": msi.product_code,
    }
    token = {
        "issuer": "bench",
        "identity": "desktop-win-1@bench",
        "scopes": ["ADVERTISE_STARTD"],
        "lifetime_seconds": 30 * 86400,
        "signing_key": "a key that signs for this measurement alone",
    }
    # Rules of Wine's firewall are a stand-in's, which would cost what it costs.
    desktop = {"msi": package, "agent": AGENT, "token": token, "firewall": False}
    return {"name": "Desktop", "eyrie.pool.desktop": desktop}


def _at_rest(lab: Lab) -> tuple[float, float]:
    """Return what the agent's processes and Wine's server used, in percent of a core."""
    time.sleep(SETTLE_SECONDS)
    pids = of_namespace(lab.topology.host_namespace(lab.host(HOST)))
    agents = [pid for pid in pids if any("agent.pyz" in word for word in command(pid))]
    servers = [pid for pid in pids if "wineserver" in "".join(command(pid)[:1])]
    if len(agents) < 2:
        seen = [command(pid) for pid in agents]
        raise EyrieError("agent at rest", seen=seen, wanted="the service and its helper in the session")
    start, before = time.monotonic(), [sum(map(cpu_seconds, each)) for each in (agents, servers)]
    time.sleep(REST_SECONDS)
    spent = time.monotonic() - start
    after = [sum(map(cpu_seconds, each)) for each in (agents, servers)]
    agent, server = (100 * (end - begin) / spent for begin, end in zip(before, after, strict=True))
    return agent, server


AGENT: dict[str, Any] = {
    "version": 1,
    "name": HOST,
    "idle": {
        "seconds": 900,
        "poll_seconds": 0.5,
        "sources": ["sessions", "power", "presentation", "load", "calendar"],
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
    "pool": {"name": "bench", "engine": "htcondor", "master": "10.79.9.10", "port": 9618},
}
