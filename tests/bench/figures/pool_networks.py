# SPDX-License-Identifier: GPL-3.0-or-later
"""What each kind of pool network costs against plain routing between the same two VMs of a lab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab import Lab
from eyrie.networks.state import load
from tests.bench.figure import Figure, median

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).parents[1] / "transfer.py"
NAME, PORT = "bench-networks", 5001
ROUNDS, SECONDS, PINGS = 7, 2.0, 40
PLAYBOOK_SECONDS, UP_SECONDS = 900.0, 30.0
SUBNETS = {"hq": "10.91.1.0/24", "east": "10.91.2.0/24"}
HOSTS = {
    "master": {"kind": "vm", "subnet": "hq", "address": "10.91.1.10", "groups": ["masters", "pool_network"]},
    "server": {"kind": "vm", "subnet": "hq", "address": "10.91.1.11", "groups": ["masters", "pool_network"]},
    "desk": {
        "kind": "vm",
        "subnet": "east",
        "address": "10.91.2.21",
        "groups": ["linux_desktops", "pool_network"],
    },
}
# Each mode's far end, and what of plain throughput it is to keep. The shadow comes last: it cannot span a
# router, so the hosts of the other subnet leave the plan for it.
MODES = {
    "ipip": ("desk", 0.90, "across a router"),
    "wireguard": ("desk", None, "across a router; ChaCha20-Poly1305"),
    "ipsec": ("desk", None, "across a router; AES-256-GCM"),
    "shadow": ("server", 0.95, "two hosts of one subnet"),
}
CHECK = "network: playbooks/network.yml on the lab"
CHECK_NOTE = "One run in each mode, Ansible's own start included; three hosts, in the shadow two."
PLAY = """\
- hosts: pool_network
  gather_facts: false
  roles: [eyrie.pool.pool_network]
"""


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Bring three VMs up, and take each mode's figures in turn with plain routing's."""
    figures, checks = [], []
    with tempfile.TemporaryDirectory() as folder, _lab(Path(folder), say) as lab:
        for mode, (far, keep, how) in MODES.items():
            say(f"network: {mode}: site.yml's role")
            private = _converge(Path(folder), mode)[far]
            say(f"network: {mode}: {ROUNDS} rounds of {SECONDS:.0f} s")
            figures += _mode(lab, mode, far, private, keep, how)
            checks.append(_play(Path(folder), mode, ROOT / "playbooks/network.yml"))
    return [*figures, Figure(CHECK, 15, "s", tuple(checks), "max", CHECK_NOTE)]


def _mode(lab: Lab, mode: str, far: str, private: str, keep: float | None, how: str) -> list[Figure]:
    official = str(lab.host(far).address)
    trip = tuple(_round_trip(lab, address) for address in (official, private))  # and the tunnel is up
    plain, covered = [], []
    for _ in range(ROUNDS):  # in turn: the machine's mood is the same for both
        plain.append(_rate(lab, official))
        covered.append(_rate(lab, private))
    ratios = tuple(there / here for there, here in zip(plain, covered, strict=True))
    rates = f"{median(covered) * 8e-6:.0f} Mbit/s against {median(plain) * 8e-6:.0f} Mbit/s plain"
    note = f"{how}; {rates}, ratio {1 / median(ratios):.2f}; in turn, both ends emulated on one machine."
    trips = f"Of {PINGS} pings; plain {trip[0]:.2f} ms."
    return [
        Figure(
            f"network: {mode}: time for the same data, plain = 1",
            None if keep is None else 1 / keep,
            "",
            ratios,
            "median",
            note,
        ),
        Figure(f"network: {mode}: round trip", None, "ms", (trip[1],), "median", trips),
    ]


@contextmanager
def _lab(folder: Path, say: Callable[[str], None]) -> Iterator[Lab]:
    _inventory(folder / "all", list(HOSTS))
    _inventory(folder / "hq", [name for name, host in HOSTS.items() if host["subnet"] == "hq"])
    lab = Lab.load(folder / "all")
    try:
        say("network: three VMs")
        lab.up()
        for host in HOSTS:
            copied = lab.run(host, ["sh", "-c", "cat > /root/transfer.py"], PROGRAM.read_text())
            sink = f"setsid python3 /root/transfer.py sink {PORT} </dev/null >/dev/null 2>&1 &"
            started = lab.run(host, ["sh", "-c", sink])
            if copied.returncode or started.returncode:
                raise EyrieError(f"host {host}", seen=copied.stderr + started.stderr, wanted="a sink")
        yield lab
    finally:
        lab.down()


def _inventory(folder: Path, hosts: list[str]) -> None:
    used = {str(HOSTS[name]["subnet"]) for name in hosts}
    subnets = {name: {"network": network} for name, network in SUBNETS.items() if name in used}
    lab = {"plugin": "eyrie.pool.lab", "name": NAME, "subnets": subnets}
    folder.mkdir()
    (folder / "lab.yml").write_text(json.dumps(lab | {"hosts": {name: HOSTS[name] for name in hosts}}))
    (folder / "00-common.yml").write_text((ROOT / "inventory/common/groups.yml").read_text())


def _converge(folder: Path, mode: str) -> dict[str, str]:
    """Run the role; return every host's private address."""
    (folder / "play.yml").write_text(PLAY)
    _play(folder, mode, folder / "play.yml")
    given = load((folder / "addresses.yml").read_bytes()).addresses
    return {name: str(IPv4Address(address)) for name, address in given.items()}


def _play(folder: Path, mode: str, playbook: Path) -> float:
    """Run a playbook with the pool in a mode; return its seconds."""
    inventory = folder / ("hq" if mode == "shadow" else "all")
    used = json.loads((inventory / "lab.yml").read_text())["subnets"]
    wanted = {
        "pool_network_mode": mode,
        "pool_network_subnets": [{"name": name, **subnet} for name, subnet in used.items()],
        "pool_network_addresses_file": str(folder / "addresses.yml"),
        "pool_network_keys_file": str(folder / "keys.yml"),
        "network_ipsec_secrets_file": str(folder / "authority.yml"),
        "htcondor_pool_name": "bench",
    }
    words = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory)]
    words += ["-e", json.dumps(wanted), str(playbook)]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    begin = time.monotonic()
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PLAYBOOK_SECONDS
    )
    if done.returncode != 0:
        raise EyrieError(f"{playbook.name}, mode {mode}", seen=done.stdout[-1500:], wanted="a good end")
    return time.monotonic() - begin


def _rate(lab: Lab, address: str) -> float:
    """Bytes a second from the master, as the other end counted them."""
    words = ["python3", "/root/transfer.py", "source", address, str(PORT), str(SECONDS)]
    done = lab.run("master", words, timeout=60)
    if done.returncode != 0:
        raise EyrieError(f"data to {address}", seen=done.stderr.strip()[-300:], wanted="a rate")
    return float(done.stdout)


def _round_trip(lab: Lab, address: str) -> float:
    deadline = time.monotonic() + UP_SECONDS
    while True:
        done = lab.run("master", ["ping", "-n", "-q", "-c", str(PINGS), "-i", "0.1", address], timeout=60)
        if done.returncode == 0:
            return float(done.stdout.rpartition(" = ")[2].split("/")[1])
        if time.monotonic() > deadline:
            raise EyrieError(f"ping {address}", seen=done.stdout[-300:], wanted="answers")
