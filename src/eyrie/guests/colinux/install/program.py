# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds eyrie-files.exe on the control host, of a source that is part of this package."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from eyrie.errors import EyrieError

SOURCE = Path(__file__).with_name("data") / "files.c"
COMPILER = "i686-w64-mingw32-gcc"
"""For desktops of 32 bits."""

FLAGS = (
    *("-Wall", "-Wextra", "-Werror", "-Os", "-s", "-ffreestanding", "-fno-builtin", "-fno-ident"),
    *("-fno-asynchronous-unwind-tables", "-nostdlib", "-Wl,--subsystem,console"),
    "-Wl,--no-insert-timestamp",
)
"""Without a C library, and the same bytes each time."""


def build(cache: Path, compiler: str = COMPILER) -> bytes:
    """Return the program; it is made once for a compiler and a source."""
    found = shutil.which(compiler)
    if found is None:
        raise EyrieError(
            f"compiler {compiler}",
            seen="not on the control host",
            wanted="mingw, which makes the program that brings files to desktops without PowerShell",
            next_step="apt install gcc-mingw-w64-i686-win32",
        )
    # A C function's name begins with an underscore on 32 bits.
    entry = "_start" if compiler.startswith("i686") else "start"
    line = [found, *FLAGS, f"-Wl,-e,{entry}"]
    version = _run([found, "--version"])
    key = hashlib.sha256("\0".join([*line, version]).encode() + SOURCE.read_bytes()).hexdigest()[:16]
    made = cache / "colinux" / f"eyrie-files-{key}.exe"
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=made.parent) as folder:
            new = Path(folder) / made.name
            _run([*line, "-o", str(new), str(SOURCE), "-lkernel32"])
            new.replace(made)
    return made.read_bytes()


def _run(line: list[str]) -> str:
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EyrieError(f"compiler {line[0]}", seen=done.stderr.strip()[-300:], wanted="a program")
    return done.stdout
