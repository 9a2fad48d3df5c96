# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to carry a guest's Ethernet through the hub: time, and processor time of each program."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from eyrie.credentials.authority import WantedCertificate, issue, new_authority
from eyrie.errors import EyrieError
from eyrie.hub.bundle import program
from eyrie.hub.guard import guest_mac
from tests.bench import hub_guest
from tests.bench.figure import Figure

FRAMES = 40_000
PINGS = 300
PORT = 19620
NAMES = ("desk-1", "desk-2")
HOW = (
    "Two carriers and the hub, each a process, on one machine; TLS 1.3 over loopback, frames of 1,514 bytes."
)


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Send frames one way, then back and forth."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="eyrie-bench-hub-")))
        hub = _hub(stack, folder)
        one, two = (_guest(stack, folder, me, other) for me, other in (NAMES, NAMES[::-1]))
        say(f"hub: {FRAMES} frames one way")
        before = _cpu(hub.pid)
        _say(two, "receive 3")
        _say(one, f"send {FRAMES}")
        sent = [float(word) for word in _line(one).split()]
        received = [float(word) for word in _line(two).split()]
        spent = _cpu(hub.pid) - before
        say(f"hub: {PINGS} round trips")
        _say(two, "echo")
        _say(one, f"ping {PINGS}")
        trips = tuple(float(word) for word in _line(one).split())
    megabits = received[0] * 8 / received[1] / 1e6
    carried = received[0] / 1e9
    return [
        Figure("hub: round trip between two guests' carriers", None, "ms", trips, "median", HOW),
        Figure("hub: throughput from guest to guest", None, "Mbit/s", (megabits,), "max", _lost(received[0])),
        Figure("hub: processor time of the hub for 1 GB", None, "s", (spent / carried,)),
        Figure("hub: processor time of the sending desktop for 1 GB", None, "s", (sent[1] / _whole() * 1e9,)),
        Figure("hub: processor time of the receiving desktop for 1 GB", None, "s", (received[2] / carried,)),
    ]


def _whole() -> float:
    return float(FRAMES * (hub_guest.LONG + 4))


def _lost(received: float) -> str:
    lost = 100 * (1 - received / _whole())
    return f"The hub alone holds the sender back; {lost:.0f} % of the frames found the receiver's queue full."


def _hub(stack: ExitStack, folder: Path) -> subprocess.Popen[bytes]:
    now = datetime.now(UTC)
    authority = new_authority("bench", now)
    (folder / "ca.pem").write_text(authority.certificate)
    (folder / "hub.pem").write_text(issue(authority, WantedCertificate(("127.0.0.1",), 1), now))
    for name in NAMES:
        (folder / f"{name}.pem").write_text(issue(authority, WantedCertificate((name,), 1, "desktop"), now))
    config = {
        "version": 1,
        "pool": "bench",
        "listen": {"address": "127.0.0.1", "port": PORT},
        "ca": f"{folder}/ca.pem",
        "certificate": f"{folder}/hub.pem",
        "key": f"{folder}/hub.pem",
        "tap": "",
        "mtu": 1500,
        "flood_per_second": 500,
        "revoked": [],
        "status": f"{folder}/status",
        "guests": [{"name": name, "macs": [guest_mac("bench", name)], "address": ""} for name in NAMES],
    }
    (folder / "hub.json").write_text(json.dumps(config))
    (folder / "hub.pyz").write_bytes(program())
    words = [sys.executable, f"{folder}/hub.pyz", "run", "--config", f"{folder}/hub.json"]
    hub = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    stack.callback(hub.wait, 10)
    stack.callback(hub.terminate)
    return hub


def _guest(stack: ExitStack, folder: Path, me: str, other: str) -> subprocess.Popen[str]:
    macs = [guest_mac("bench", name) for name in (me, other)]
    files = [f"{folder}/ca.pem", f"{folder}/{me}.pem"]
    words = [sys.executable, str(Path(hub_guest.__file__)), str(PORT), *files, *macs]
    guest = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stack.callback(guest.wait, 10)
    stack.callback(guest.kill)
    if (seen := _line(guest)) != "up":
        raise EyrieError("hub of the bench", seen=seen, wanted="up", next_step="read its error above")
    return guest


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _say(guest: subprocess.Popen[str], text: str) -> None:
    assert guest.stdin
    guest.stdin.write(text + "\n")
    guest.stdin.flush()


def _line(guest: subprocess.Popen[str]) -> str:
    assert guest.stdout
    return guest.stdout.readline().strip()
