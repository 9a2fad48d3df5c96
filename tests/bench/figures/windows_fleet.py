# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a hundred unchanged Windows desktops take: by the action, and by one task per item."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eyrie import __version__
from eyrie.credentials.authority import WantedCertificate, issue, new_authority
from eyrie.engines.minting import mint
from eyrie.engines.tokens import WantedToken
from eyrie.errors import EyrieError
from tests.bench import windows_fleet
from tests.bench.figure import Figure
from tests.bench.playbook import ROOT, Times, play

DESKTOPS = 100
NOTE = (
    "The whole `ansible-playbook`, 20 forks. Real connection, NTLM and HTTPS to an endpoint a desktop, on "
    "addresses of this machine, whose processor serves both ends; what runs the commands is a stand-in "
    "that answers at once."
)
ITEMS_NOTE = (
    "The same desktops, connection and state; each item looked at by an `ansible.builtin.raw` of its own."
)
SHARE_NOTE = "0.2 is five times faster. These desktops answer at once, which favours many tasks."
SCOPES = ["ADVERTISE_STARTD"]
LIFETIME = 30 * 86400

_AGENT, _DATA = r'"%ProgramFiles%\Eyrie', r'"%ProgramData%\Eyrie'
ITEMS = {
    "agent": r"reg query HKLM\Software\Eyrie\Agent /v Version",
    "service": "sc qc EyrieAgent",
    "service runs": "sc query EyrieAgent",
    "configuration": rf'certutil -hashfile {_DATA}\agent.json" SHA256',
    "token": rf'certutil -hashfile {_DATA}\token" SHA256',
    "QEMU": rf'type {_DATA}\items\qemu\manifest.json"',
    "guest image": rf'type {_DATA}\items\guest-image\manifest.json"',
    "old items": rf'dir /b {_DATA}\items"',
    "firewall": 'netsh advfirewall firewall show rule name="Eyrie guest" verbose',
    "access": rf'icacls {_DATA}"',
}
"""What `converge` compares, as commands that only look."""


def measure(say: Callable[[str], None], desktops: int = DESKTOPS) -> list[Figure]:
    """Run both plays against the same desktops."""
    with tempfile.TemporaryDirectory(prefix="eyrie-bench-windows-", dir="/var/tmp") as directory:
        folder = Path(directory)
        with _fleet(folder, desktops) as inventory:
            say(f"{desktops} desktops by the action")
            action = play(folder, inventory, "action", [_action()])
            action.all_unchanged(desktops)
            say(f"{action.seconds:.1f} s; the same by {len(ITEMS)} tasks")
            items = play(folder, inventory, "items", _raw())
            items.all_unchanged(desktops * len(ITEMS))
            say(f"{items.seconds:.1f} s")
    trips = tuple(float(each["round_trips"]) for each in action.tasks)
    return [
        Figure(f"{desktops} unchanged Windows desktops", 40, "s", (action.seconds,), "max", NOTE),
        Figure("commands of an unchanged Windows desktop", 3, "commands", trips, "max"),
        Figure(f"{desktops} desktops by a task per item", None, "s", (items.seconds,), "max", ITEMS_NOTE),
        Figure("action: share of that time", 0.2, "", (_share(action, items),), "max", SHARE_NOTE),
    ]


def _share(action: Times, items: Times) -> float:
    return action.seconds / items.seconds


@contextmanager
def _fleet(folder: Path, desktops: int) -> Iterator[Path]:
    """Have the desktops listen; give the inventory. Afterwards each must have been asked by both plays."""
    now = datetime.now(UTC)
    authority = new_authority("bench", now)
    names = tuple(windows_fleet.address(number) for number in range(desktops))
    (folder / "ca.pem").write_text(authority.certificate)
    (folder / "desktop.pem").touch(0o600)
    (folder / "desktop.pem").write_text(issue(authority, WantedCertificate(names, 1), now))
    password, key = os.urandom(12).hex(), os.urandom(24).hex()
    tokens = [mint(_wanted(f"pc-{number}", key), time.time()) for number in range(desktops)]
    inventory = _inventory(folder, names, password, key)
    words = [sys.executable, str(Path(windows_fleet.__file__)), str(desktops), str(folder / "desktop.pem")]
    fleet = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert fleet.stdin and fleet.stdout
    try:
        fleet.stdin.write(json.dumps({"password": password, "tokens": tokens}) + "\n")
        fleet.stdin.flush()
        if (seen := fleet.stdout.readline().strip()) != "ready":
            raise EyrieError(
                "desktops of the bench", seen=seen, wanted="ready", next_step="read the error above"
            )
        yield inventory
        told, _ = fleet.communicate(timeout=60)
        asked = set(json.loads(told))
        if asked != {1 + len(ITEMS)}:
            raise EyrieError("commands per desktop", seen=asked, wanted=1 + len(ITEMS), next_step="see above")
    finally:
        fleet.kill()
        fleet.wait(10)


def _inventory(folder: Path, addresses: tuple[str, ...], password: str, key: str) -> Path:
    inventory = folder / "inventory"
    inventory.mkdir()
    (inventory / "00-common.yml").symlink_to(ROOT / "inventory/common/groups.yml")
    everybody = {
        "ansible_port": windows_fleet.PORT,
        "ansible_user": windows_fleet.USER,
        "ansible_password": password,
        "ansible_winrm_ca_trust_path": str(folder / "ca.pem"),
        "bench_key": key,
    }
    hosts = {f"pc-{number}": {"ansible_host": each} for number, each in enumerate(addresses)}
    groups = {"windows_desktops": {"hosts": hosts, "vars": everybody}}
    (inventory / "hosts.yml").touch(0o600)
    (inventory / "hosts.yml").write_text(json.dumps(groups))
    return inventory


def _wanted(name: str, key: str) -> WantedToken:
    return WantedToken("bench", f"desktop-{name}@bench", frozenset(SCOPES), LIFETIME, key)


def _action() -> dict[str, Any]:
    token = {
        "issuer": "bench",
        "identity": "desktop-{{ inventory_hostname }}@bench",
        "scopes": SCOPES,
        "lifetime_seconds": LIFETIME,
        "signing_key": "{{ bench_key }}",
    }
    item = {"url": "https://127.0.0.1/x.zip", "sha256": "0" * 64, "size": 1}
    arguments = {
        "msi": {"source": r"C:\agent.msi", "version": __version__, "release": f"{__version__}-bench"},
        "agent": {"version": 1, "name": "{{ inventory_hostname }}", "pool": {"name": "bench"}},
        "items": [{"name": name, **item} for name in ("qemu", "guest-image")],
        "token": token,
    }
    return {"name": "Desktop", "eyrie.pool.desktop": arguments}


def _raw() -> list[dict[str, Any]]:
    return [
        {"name": name, "ansible.builtin.raw": line, "changed_when": False} for name, line in ITEMS.items()
    ]
