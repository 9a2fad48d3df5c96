# SPDX-License-Identifier: GPL-3.0-or-later
"""One command line on the desktop: a process in a job, with its own console, its streams on a channel."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from typing import Any

from . import wire
from .win32 import Job

CMD = "C:\\windows\\system32\\cmd.exe"
HOST = "C:\\windows\\system32\\winrshost.exe"
CMD_LENGTH = 8191
DEFAULT_CODEPAGE = 437
CREATE_SUSPENDED = 0x4
CREATE_NO_WINDOW = 0x08000000  # a console, but none that is shown
KILLED = 1
TOO_LONG = "(echo The command line is too long.)>&2 & exit 1"
# What Wine got from the machine around it: a desktop has none of it.
FOREIGN = ("container", "container_uuid", "NOTIFY_SOCKET", "PYTHONUTF8", "XDG_RUNTIME_DIR")


class Running:
    """A command that was started."""

    def __init__(self, order: dict[str, Any]) -> None:
        line = str(order["line"])
        whole = line if order.get("skip_cmd") else f"{CMD} /c {line}"
        if not order.get("skip_cmd") and len(f"cmd /c {line}") > CMD_LENGTH:
            whole = f"{CMD} /c {TOO_LONG}"
        environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        environment.update(order.get("environment") or {})
        self._job = Job()
        self._process = subprocess.Popen(
            f"{HOST} {int(order.get('codepage') or DEFAULT_CODEPAGE)} {whole}",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=order.get("directory") or environment.get("USERPROFILE"),
            env=environment,
            bufsize=0,
            creationflags=CREATE_SUSPENDED | CREATE_NO_WINDOW,
        )
        self._job.take(int(vars(self._process)["_handle"]))
        self.pid = self._process.pid
        self._over = threading.Event()
        self._input: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def serve(self, channel: wire.Channel) -> None:
        """Carry the streams until the command has ended and all its output is out."""
        assert self._process.stdout and self._process.stderr
        outputs = [
            threading.Thread(target=self._pump, args=(channel, kind, stream.fileno()), daemon=True)
            for kind, stream in ((b"O", self._process.stdout), (b"R", self._process.stderr))
        ]
        inputs = [
            threading.Thread(target=each, args=(channel,), daemon=True)
            for each in (self._take_orders, self._feed)
        ]
        for thread in (*outputs, *inputs):
            thread.start()
        for thread in outputs:
            thread.join()
        code = self._process.wait()
        self._over.set()
        self._input.put(None)
        _send_quietly(channel, b"X", wire.number(code))
        self._job.end(KILLED)  # left behind without a stream of ours: WinRM's job ends them, too
        self._job.close()

    def _pump(self, channel: wire.Channel, kind: bytes, number: int) -> None:
        try:
            while data := os.read(number, 65536):
                channel.send(kind, data)
        except OSError:
            self._job.end(KILLED)

    def _take_orders(self, channel: wire.Channel) -> None:
        while frame := _read(channel):
            kind, data = frame
            if kind == b"I":
                self._input.put(data)
            elif kind == b"E":
                self._input.put(None)
            elif kind == b"C":
                interpreter = [sys.executable, "-B", "-m", "desktop_programs.ctrl_c", str(self.pid)]
                subprocess.run(interpreter, stdin=subprocess.DEVNULL, check=False)
            elif kind == b"K":
                break
        if not self._over.is_set():
            self._job.end(KILLED)

    def _feed(self, channel: wire.Channel) -> None:
        """Hand input on in a thread of its own: a kill must get through while the program does not read."""
        assert self._process.stdin
        try:
            while (data := self._input.get()) is not None:
                _write(self._process.stdin.fileno(), data)
                channel.send(b"A", wire.number(len(data)))
            self._process.stdin.close()
        except OSError:
            _send_quietly(channel, b"B")


def _read(channel: wire.Channel) -> tuple[bytes, bytes] | None:
    try:
        return channel.read()
    except OSError:
        return None


def _write(number: int, data: bytes) -> None:
    while data:
        data = data[os.write(number, data) :]


def _send_quietly(channel: wire.Channel, kind: bytes, data: bytes = b"") -> None:
    """Tell an endpoint that may have gone away."""
    with contextlib.suppress(OSError):
        channel.send(kind, data)
