# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows end of the lab's endpoint: runs command lines with true exit codes, as a real parent process.

(From outside, Wine gives only eight bits of an exit code.) It is also what keeps Wine running: while it runs
the desktop is on. It listens on the loopback of the desktop's own network namespace and asks for a secret,
new at every boot. Each connection is one order; see `wire` for what is said on it.
"""

from __future__ import annotations

import hmac
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from typing import Any

from . import power, wire
from .command import Running
from .owner import press_key
from .stand_in import FOLDER

SECRET = "Z:/opt/eyrie-lab/secret"  # noqa: S105 # where it is
ENDED = "Z:/opt/eyrie-lab/ended"
POLL_SECONDS = 0.2


def main() -> None:
    """Serve until somebody wants the power off; a file says whether to boot again.

    (A program of Wine whose threads end beside it now and then exits with 0, whatever it says.)
    """
    with open(SECRET, encoding="ascii") as file:  # noqa: PTH123 # a path of Windows
        secret = file.read().strip()
    (FOLDER / "power").unlink(missing_ok=True)
    boot_id = secrets.token_hex(16)
    listener = socket.create_server(("127.0.0.1", wire.PORT), backlog=64)

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, secret, boot_id), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    action = _await_request()
    power.stop_services(print)
    with open(ENDED, "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(str(wire.REBOOT if action == "reboot" else wire.OFF))


def _await_request() -> str:
    """Return what the file that shutdown.exe left asks for, once its time has come."""
    while True:
        time.sleep(POLL_SECONDS)
        _start_what_is_left()
        try:
            action, _, due = (FOLDER / "power").read_text(encoding="ascii").partition(" ")
        except OSError:  # not there, or being replaced
            continue
        if time.time() >= float(due):
            return action


def _start_what_is_left() -> None:
    """Start what schtasks.exe left: the broker's child is in no command's job, and outlives its shell."""
    for path in sorted(FOLDER.glob("start-*")):
        if path.suffix:  # being written
            continue
        line = path.read_text(encoding="utf-8")
        path.unlink()
        subprocess.Popen(line, stdin=subprocess.DEVNULL)


def _serve(connection: socket.socket, secret: str, boot_id: str) -> None:
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        channel = wire.Channel(connection)
        try:
            order = channel.read_order()
            if not hmac.compare_digest(str(order.get("secret", "")), secret):
                channel.say({"error": "wrong secret"})
                return
            _obey(order, channel, boot_id)
        except (OSError, ValueError):
            return  # whoever asked went away, or talks nonsense


def _obey(order: dict[str, Any], channel: wire.Channel, boot_id: str) -> None:
    what = order.get("order")
    if what == "run":
        try:
            running = Running(order)
        except OSError as error:
            channel.say({"error": str(error)})
            return
        channel.say({"pid": running.pid})
        running.serve(channel)
        return
    if what == "key":
        press_key()
    elif what != "status":
        channel.say({"error": f"unknown order {what!r}"})
        return
    channel.say({"boot_id": boot_id, "pid": os.getpid(), "python": sys.version.split()[0]})


if __name__ == "__main__":
    main()
