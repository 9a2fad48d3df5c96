# SPDX-License-Identifier: GPL-3.0-or-later
"""Drive e2fsprogs: what to ask debugfs, and how to understand its answers."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.images.model import encoded

_PROMPT = b"debugfs: "
_BANNER = re.compile(rb"debugfs \d+\.\d+\S* \([^)]*\)\s*")
_SECONDS = 120.0
ENTRY = re.compile(rb"/(\d+)/(\d{6})/(\d+)/(\d+)/(.*)/(\d*)/", re.DOTALL)


def run(
    image: Path, commands: Sequence[bytes], scratch: Path, *, write: bool = False, when: int = 0
) -> list[bytes]:
    """Let debugfs carry out `commands`; return what it said to each, or raise its first complaint."""
    script = scratch / "script"
    script.write_bytes(b"".join(command + b"\n" for command in commands))
    argv = ["debugfs", *(["-w"] if write else []), "-f", str(script), str(image)]
    done = _call(argv, when)
    complaints = _BANNER.sub(b"", done.stderr).strip()
    if done.returncode or complaints:
        raise EyrieError(
            "e2fsprogs on the ext image",
            seen=complaints.decode(errors="replace") or f"exit status {done.returncode}",
            wanted="no complaint of debugfs",
            next_step="check the image with e2fsck -fn",
        )
    answers: list[bytes] = []
    rest = done.stdout
    for command in commands:
        echo = _PROMPT + command + b"\n"
        before, found, rest = rest.partition(echo)
        if not found:
            raise EyrieError("the answer of debugfs", seen=before[-200:], wanted=f"one to {command!r}")
        answers.append(before)
    return [*answers[1:], rest]


def check(image: Path, when: int) -> str:
    """Return what e2fsck says against an image; nothing of a sound one."""
    done = _call(["e2fsck", "-f", "-n", str(image)], when)
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]
    faults = [line for line in lines if not line.startswith(("Pass ", "e2fsck "))]
    return "; ".join(faults[:3]) or f"exit status {done.returncode}"


def call(argv: Sequence[str], when: int) -> None:
    """Run one of e2fsprogs that has to succeed."""
    done = _call(argv, when)
    if done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise EyrieError(f"{argv[0]} on the ext image", seen=said[-300:], wanted="success")


def _call(argv: Sequence[str], when: int) -> subprocess.CompletedProcess[bytes]:
    """Run one of e2fsprogs, with the clock it shall believe in: the result depends on the image alone."""
    clock = {name: str(when) for name in ("E2FSPROGS_FAKE_TIME", "E2FSCK_TIME", "SOURCE_DATE_EPOCH")}
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    environment = {"PATH": path, "LC_ALL": "C", "DEBUGFS_PAGER": "cat", **(clock if when else {})}
    try:
        return subprocess.run(argv, capture_output=True, check=False, env=environment, timeout=_SECONDS)
    except FileNotFoundError as error:
        raise EyrieError(
            argv[0], seen="not installed", wanted="e2fsprogs", next_step="apt install e2fsprogs"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise EyrieError(
            f"{argv[0]} on the ext image",
            seen=f"no answer for {_SECONDS:.0f} s",
            wanted="a sound image",
            next_step="check it with e2fsck -fn",
        ) from error


def quoted(name: str) -> bytes:
    """Quote a path for debugfs, which knows double quotes alone, doubled to mean themselves."""
    return b'"' + encoded(name).replace(b'"', b'""') + b'"'
