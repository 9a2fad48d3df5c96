# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for cmd.exe: this machine's /bin/sh runs the lines. For tests of the protocol, not for a lab."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from typing import IO

from eyrie.lab.wsman.runner import Order, Process, Sink, Stream
from eyrie.windows.quoting import after_slash_c


class ShellStandIn:
    """Runs every line by /bin/sh."""

    name = "stand-in: /bin/sh in place of cmd.exe"

    def start(self, order: Order, sink: Sink) -> Process:
        """Start `sh -c`; the environment is the shell's alone, but for the search path."""
        line = order.line if order.skip_cmd else after_slash_c(order.line)
        program = subprocess.Popen(
            # A lab started in the background ignores Ctrl+C, and a shell cannot undo what it inherits.
            ["/usr/bin/env", "--default-signal=INT", "/bin/sh", "-c", line],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=order.directory or None,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **order.environment},
            bufsize=0,
            start_new_session=True,
        )
        return _Program(program, sink)


class _Program:
    def __init__(self, program: subprocess.Popen[bytes], sink: Sink) -> None:
        assert program.stdin and program.stdout and program.stderr
        self._program = program
        self._sink = sink
        self._input = program.stdin
        self._writing = threading.Lock()
        self._over = False
        os.set_blocking(self._input.fileno(), False)
        self._outputs: dict[int, tuple[Stream, IO[bytes]]] = {
            program.stdout.fileno(): ("stdout", program.stdout),
            program.stderr.fileno(): ("stderr", program.stderr),
        }
        threading.Thread(target=self._pump, name=f"wsman-{program.pid}", daemon=True).start()

    def write(self, data: bytes, timeout: float) -> int:
        rest, end = memoryview(data), time.monotonic() + timeout
        with self._writing:
            while rest:
                if self._input.closed:
                    raise BrokenPipeError("standard input is closed")
                if not select.select([], [self._input], [], max(0.0, end - time.monotonic()))[1]:
                    break
                rest = rest[os.write(self._input.fileno(), rest) :]
        return len(data) - len(rest)

    def close_input(self) -> None:
        with self._writing, contextlib.suppress(OSError):
            self._input.close()

    def interrupt(self) -> None:
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self._over:
            return  # the number may be another program's by now
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._program.pid, number)

    def _pump(self) -> None:
        poll = select.poll()
        for number in self._outputs:
            poll.register(number, select.POLLIN)
        while self._outputs:
            for number, _event in poll.poll():
                stream, pipe = self._outputs[number]
                data = os.read(number, 65536)
                if data:
                    self._sink.output(stream, data)
                    continue
                poll.unregister(number)
                del self._outputs[number]
                pipe.close()
        code = self._program.wait()
        self._over = True
        self.close_input()
        self._sink.ended(code if code >= 0 else 128 - code)
