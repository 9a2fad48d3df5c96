# SPDX-License-Identifier: GPL-3.0-or-later
"""A QMP client for QEMU over an already connected, private socket: every wait is bounded."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from eyrie.guests.backend import GuestError

LONGEST_LINE = 1 << 20  # QEMU's longest answers (query-qmp-schema) are some 200 KiB


class QmpClient:
    """One QMP conversation; events are read past, for the channel and the process tell all we need."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    def handshake(self, timeout: float) -> tuple[int, int, int]:
        """Wait for QEMU's greeting, leave negotiation mode, return QEMU's version."""
        greeting = self._receive(time.monotonic() + timeout, "greeting")
        try:
            version = greeting["QMP"]["version"]["qemu"]
            numbers = (int(version["major"]), int(version["minor"]), int(version["micro"]))
        except (KeyError, TypeError, ValueError) as error:
            raise GuestError("QMP greeting", seen=greeting, wanted="a QEMU version") from error
        self.execute("qmp_capabilities", timeout)
        return numbers

    def execute(self, command: str, timeout: float, **arguments: object) -> Any:
        """Run one command and return its answer; raises GuestError on refusal, silence or a closed socket."""
        deadline = time.monotonic() + timeout
        request = {"execute": command, "arguments": arguments}
        try:
            self._connection.settimeout(timeout)
            self._connection.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise GuestError(f"QMP command {command}", seen=str(error), wanted="a live QEMU") from error
        while True:
            answer = self._receive(deadline, command)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise GuestError(f"QMP command {command}", seen=answer["error"], wanted="success")

    def close(self) -> None:
        """Close the socket."""
        self._connection.close()

    def _receive(self, deadline: float, waiting_for: str) -> dict[str, Any]:
        """Return the next JSON object."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > LONGEST_LINE:
                raise GuestError(
                    "QMP answer", seen=f"{len(self._buffer)} bytes", wanted=f"<= {LONGEST_LINE} bytes"
                )
            self._buffer += self._read(deadline, waiting_for)
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise GuestError("QMP answer", seen=line[:80], wanted="one JSON object per line") from error
        if not isinstance(answer, dict):
            raise GuestError("QMP answer", seen=line[:80], wanted="one JSON object per line")
        return answer

    def _read(self, deadline: float, waiting_for: str) -> bytes:
        left = deadline - time.monotonic()
        try:
            if left <= 0:
                raise socket.timeout
            self._connection.settimeout(left)
            data = self._connection.recv(65536)
        except socket.timeout as error:
            raise GuestError(f"QMP {waiting_for}", seen="silence", wanted="an answer in time") from error
        except OSError as error:
            raise GuestError(f"QMP {waiting_for}", seen=str(error), wanted="a live QEMU") from error
        if not data:
            raise GuestError(f"QMP {waiting_for}", seen="closed connection", wanted="a live QEMU")
        return data
