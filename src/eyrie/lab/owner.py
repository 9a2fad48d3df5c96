# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop's owner at work: real keystrokes on a real terminal of that desktop."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType

from eyrie.errors import EyrieError

LOGIN_SECONDS = 60.0
ECHO_SECONDS = 10.0
PROMPT = b"$ "
KEY = b"x"
# Ctrl-U empties the line again, Ctrl-D ends the shell.
FAREWELL = b"\x15\x04"


class Person:
    """Somebody logged in on a terminal; keys that are typed there are echoed by the desktop itself."""

    def __init__(self, ssh: Sequence[str]) -> None:
        self._command = [ssh[0], "-tt", "-e", "none", *ssh[1:]]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Person:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        try:
            self._await(PROMPT, LOGIN_SECONDS)
        except BaseException:
            self._process.kill()
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._running()
        try:
            os.write(_fileno(process.stdin), FAREWELL)
            process.wait(timeout=ECHO_SECONDS)
        except (BrokenPipeError, subprocess.TimeoutExpired):  # the desktop's power was cut meanwhile
            process.kill()
        self._close()

    def type(self) -> float:
        """Press one key, wait for its echo; return when it was pressed (time.monotonic)."""
        pressed = time.monotonic()
        os.write(_fileno(self._running().stdin), KEY)
        self._await(KEY, ECHO_SECONDS)
        return pressed

    def _await(self, wanted: bytes, seconds: float) -> None:
        source = _fileno(self._running().stdout)
        deadline, seen = time.monotonic() + seconds, b""
        with selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ)
            while wanted not in seen:
                if not selector.select(deadline - time.monotonic()):
                    raise EyrieError(
                        "the owner's terminal", seen=seen.decode(errors="replace"), wanted=f"{wanted!r}"
                    )
                part = os.read(source, 4096)
                if not part:
                    raise EyrieError("the owner's terminal closed", seen=seen.decode(errors="replace"))
                seen += part

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("a Person is used as a context manager")
        return self._process

    def _close(self) -> None:
        process = self._running()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _fileno(stream: object) -> int:
    return stream.fileno()  # type: ignore[attr-defined,no-any-return]
