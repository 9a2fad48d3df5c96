# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's local socket: one JSON line asks, one answers, and the kernel says who asks."""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable

from eyrie.agent import hints
from eyrie.agent.edges import Handler, Who
from eyrie.errors import EyrieError

LINE = 4096  # bytes of a question
ANSWER = 1 << 20
MOST = 16  # connections at once
PATIENCE = 5.0  # seconds for a question to arrive
PEER = struct.Struct("3i")


@dataclass
class _Caller:
    link: socket.socket
    uid: int
    until: float
    data: bytes = b""


class ControlServer:
    """Answers whoever is on this desktop; `handle(command, uid)` decides who may do what."""

    def __init__(self, path: Path, handle: Handler) -> None:
        self._path = path
        self._handle = handle
        self._callers: dict[int, _Caller] = {}
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.setblocking(False)
        self._listener.bind(str(path))
        path.chmod(0o666)
        self._listener.listen(MOST)

    def filenos(self) -> Iterable[int]:
        """Return the descriptors to wait for."""
        return [self._listener.fileno(), *self._callers]

    def ready(self, fileno: int, now: float) -> None:
        """Serve one descriptor."""
        if fileno == self._listener.fileno():
            self._accept(now)
        elif fileno in self._callers:
            self._read(self._callers[fileno])

    def expire(self, now: float) -> None:
        """Hang up on callers that ask nothing."""
        for caller in list(self._callers.values()):
            if now >= caller.until:
                self._drop(caller)

    def _accept(self, now: float) -> None:
        try:
            link, _ = self._listener.accept()
        except OSError:
            return  # the caller is gone already
        link.setblocking(False)
        if len(self._callers) >= MOST:
            link.close()
            return
        _pid, uid, _gid = PEER.unpack(link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
        self._callers[link.fileno()] = _Caller(link, uid, now + PATIENCE)

    def _read(self, caller: _Caller) -> None:
        try:
            data = caller.link.recv(LINE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        caller.data += data
        if b"\n" in caller.data or len(caller.data) > LINE:
            self._answer(caller)
        if not data or b"\n" in caller.data or len(caller.data) > LINE:
            self._drop(caller)

    def _answer(self, caller: _Caller) -> None:
        answer = reply(self._handle, caller.data, caller.uid)
        caller.link.settimeout(0.1)
        try:
            caller.link.sendall(answer)
        except OSError:
            return  # whoever does not listen gets no answer

    def _drop(self, caller: _Caller) -> None:
        self._callers.pop(caller.link.fileno(), None)
        caller.link.close()

    def close(self) -> None:
        """Stop answering."""
        for caller in list(self._callers.values()):
            self._drop(caller)
        self._listener.close()
        self._path.unlink(missing_ok=True)


def reply(handle: Handler, data: bytes, who: Who) -> bytes:
    """Return the line that answers the question on the first line of `data`."""
    try:
        question = json.loads(data.split(b"\n", 1)[0])
        command = question.get("command") if isinstance(question, dict) else None
        answer = handle(str(command), who)
    except EyrieError as error:
        answer = {"error": str(error)}
    except ValueError:
        answer = {"error": "not a JSON object on one line"}
    return json.dumps(answer).encode() + b"\n"


def ask(path: Path, command: str, timeout: float = 5.0) -> dict[str, Any]:
    """Put one question to the agent of this desktop; raises EyrieError."""
    try:
        answer = json.loads(_answered(path, json.dumps({"command": command}).encode() + b"\n", timeout))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise EyrieError(
            "the agent is not running on this desktop, so it cannot be in the pool",
            next_step=f"start it with `{hints.START}` (nobody answers at {os.fspath(path)})",
        ) from error
    except (OSError, ValueError) as error:
        raise EyrieError(
            "the agent does not answer", seen=str(error), next_step=f"see {hints.LOG}"
        ) from error
    if "error" in answer:
        raise EyrieError(str(answer["error"]))
    return dict(answer)


def _answered(path: Path, question: bytes, timeout: float) -> bytes:
    """Return the answer; an agent with too many callers at the moment is asked again until `timeout`."""
    until = time.monotonic() + timeout
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(timeout)
                link.connect(str(path))
                link.sendall(question)
                answer = _line(link)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):  # its queue is full, or it hung up
            if time.monotonic() >= until:
                raise
            answer = b""
        if answer or time.monotonic() >= until:
            return answer
        time.sleep(0.05)


def _line(link: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n") and len(data) < ANSWER:
        more = link.recv(65536)
        if not more:
            break
        data += more
    return data
