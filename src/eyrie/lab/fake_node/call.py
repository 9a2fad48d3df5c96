# SPDX-License-Identifier: GPL-3.0-or-later
"""How a node's tools reach the fake kernel: a directory a call, a bell to ring, an answer to wait for."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

CALLS = "libexec/calls"


@dataclass(frozen=True)
class Call:
    """One tool, called on the node."""

    root: Path
    pid: int
    name: str
    arguments: tuple[str, ...]
    directory: str  # where on the node it was called
    stdin: bytes = b""

    def read(self, name: str) -> bytes:
        """Return a file the caller named; `-` is its standard input."""
        return self.stdin if name == "-" else self.place(name).read_bytes()

    def place(self, name: str) -> Path:
        """Return where a file of the node is."""
        return self.root / os.path.normpath(os.path.join(self.directory, name)).lstrip("/")  # noqa: PTH118


@dataclass(frozen=True)
class Answer:
    """What a tool says; with `skip` the rest of the arguments is a program to become."""

    status: int
    output: str = ""
    error: str = ""
    skip: int | None = None


def make_bell(root: Path) -> int:
    """Open the pipe that tools ring; open for writing as well, so that it never ends."""
    path = root / CALLS / "bell"
    path.unlink(missing_ok=True)
    os.mkfifo(path, 0o622)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK)


def waiting(root: Path, bell: int) -> list[Call]:
    """Return the calls that were rung for."""
    rung = os.read(bell, 65536).split()
    return [call for number in rung if (call := _call(root, int(number))) is not None]


def reply(call: Call, answer: Answer) -> None:
    """Let the tool go on; a caller that was killed meanwhile gets nothing."""
    work = call.root / CALLS / str(call.pid)
    try:
        (work / "out").write_text(answer.output, encoding="utf-8", errors="surrogateescape")
        (work / "err").write_text(answer.error, encoding="utf-8", errors="surrogateescape")
        done = os.open(work / "done", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return
    status = f"{answer.status} 0" if answer.skip is None else f"exec {answer.skip}"
    with contextlib.suppress(BrokenPipeError):  # killed just now
        os.write(done, f"{status}\n".encode())
    os.close(done)


def _call(root: Path, pid: int) -> Call | None:
    work = root / CALLS / str(pid)
    try:
        words = (work / "argv").read_bytes().decode(errors="surrogateescape").split("\0")[:-1]
        stdin = (work / "stdin").read_bytes() if (work / "stdin").exists() else b""
        directory = (work / "cwd").read_text(errors="surrogateescape").rstrip("\n")
    except OSError:
        return None
    return Call(root, pid, words[0], tuple(words[1:]), directory, stdin)
