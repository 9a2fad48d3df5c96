# SPDX-License-Identifier: GPL-3.0-or-later
"""One Windows desktop that is switched on: Wine in its container, and in front of it the WinRM endpoint.

Run as a process of the lab, inside the host's network namespace. It ends when Windows shuts down, and goes on
when Windows boots again. Killed, it takes Wine with it: a power cut.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from eyrie.lab.windows.desktop import HTTP, HTTPS
from eyrie.lab.windows.programs import wire
from eyrie.lab.windows.runner import BrokerRunner, ask
from eyrie.lab.wsman.server import Endpoint
from eyrie.lab.wsman.settings import Account, Settings

PROGRAMS = Path(__file__).with_name("programs")
START = Path(__file__).with_name("data") / "start.sh"
INSIDE = "opt/eyrie-lab"
BOOT_SECONDS = 90.0
POLL_SECONDS = 0.05


def main(text: str) -> int:
    """Run the desktop that the JSON text describes, until it is switched off."""
    spec = json.loads(text)
    while True:
        secret = _equip(Path(spec["root"]), Path(spec["secret"]))
        with subprocess.Popen(spec["command"], env={**os.environ, **spec["environment"]}) as windows:
            try:
                _await_broker(windows, secret)
                with _endpoints(spec, secret):
                    code = windows.wait()
            finally:
                windows.kill()
        if code == wire.OFF:
            return 0
        if code != wire.REBOOT:
            sys.stderr.write(f"Windows ended by itself: exit status {code}\n")
            return 1


def _equip(root: Path, copy: Path) -> str:
    """Bring the programs of this release and this boot's secret in; return the secret."""
    library = root / INSIDE / "lib/desktop_programs"
    shutil.rmtree(library, ignore_errors=True)
    shutil.copytree(PROGRAMS, library, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(START, root / INSIDE / "start")
    (root / INSIDE / "start").chmod(0o755)
    secret = secrets.token_hex(16)
    for path in (root / INSIDE / "secret", copy):
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret)
    return secret


def _connect() -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", wire.PORT), timeout=10)
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _await_broker(windows: subprocess.Popen[bytes], secret: str) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while windows.poll() is None and time.monotonic() < deadline:
        try:
            ask(_connect(), secret, "status")
            return
        except OSError:
            time.sleep(POLL_SECONDS)
    sys.exit("Windows did not come up")


@contextmanager
def _endpoints(spec: dict[str, Any], secret: str) -> Iterator[None]:
    """Listen as Windows does: HTTPS with the lab's certificate, and HTTP for sealed messages only."""
    password = Path(spec["password"]).read_text(encoding="ascii")
    accounts = (Account(spec["user"], password),)
    runner = BrokerRunner(secret, _connect)
    with ExitStack() as stack:
        for port, certificate in ((HTTP, None), (HTTPS, Path(spec["certificate"]))):
            settings = Settings(accounts, machine=spec["name"].upper(), certificate=certificate)
            stack.enter_context(Endpoint(settings, runner, (spec["address"], port)))
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
