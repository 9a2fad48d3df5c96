# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line on a Windows desktop, its streams those of this process: for people, beside the endpoint."""

from __future__ import annotations

import os
import socket
import sys
import threading

from eyrie.lab.model import Host, Topology
from eyrie.lab.paths import Paths
from eyrie.lab.windows import desktop
from eyrie.lab.windows.runner import BrokerRunner
from eyrie.lab.wsman.runner import Order, Process, Stream
from eyrie.windows.quoting import for_slash_c

UTF_8 = 65001


class _Out:
    def __init__(self) -> None:
        self.code: int | None = None
        self.over = threading.Event()

    def output(self, stream: Stream, data: bytes) -> None:
        target = sys.stdout.buffer if stream == "stdout" else sys.stderr.buffer
        target.write(data)
        target.flush()

    def ended(self, code: int) -> None:
        self.code = code
        self.over.set()


def run(topology: Topology, paths: Paths, host: Host, line: str) -> int:
    """Run a line as typed at the prompt, or cmd.exe itself; return its exit code."""
    out = _Out()

    def connect() -> socket.socket:
        connection = desktop.connect(topology, host)
        connection.settimeout(None)
        return connection

    runner = BrokerRunner(desktop.secret(paths, host), connect)
    process = runner.start(Order(for_slash_c(line), codepage=UTF_8), out)
    threading.Thread(target=_feed, args=(process,), daemon=True).start()
    while not out.over.is_set():
        try:
            out.over.wait()
        except KeyboardInterrupt:
            process.interrupt()
    return out.code or 0


def _feed(process: Process) -> None:
    try:
        while data := os.read(0, 4096):
            while data:
                data = data[process.write(data, 1.0) :]
        process.close_input()
    except OSError:
        return  # it takes no more, which is no fault
