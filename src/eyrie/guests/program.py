# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU as a program: which version it is, and what its guest reads at boot."""

from __future__ import annotations

import re
import subprocess
from typing import Mapping

from eyrie.guests.backend import GuestError

OLDEST_QEMU = (7, 2)  # the oldest these guests are proven with
_CONFIG_VALUE = re.compile(r"[A-Za-z0-9._:/@+-]+")
_CONFIG_KEY = re.compile(r"[a-z][a-z0-9_]*")


def qemu_version(qemu: str, package: str = "qemu-system-x86") -> tuple[int, int]:
    """Ask the program for its version; raises GuestError when it is missing, broken or too old."""
    try:
        answer = subprocess.run(
            [qemu, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GuestError("QEMU", seen=str(error), wanted=qemu, next_step=f"install {package}") from error
    return parse_version(answer.stdout or answer.stderr, package)


def parse_version(text: str, package: str) -> tuple[int, int]:
    """Read the version from the program's answer."""
    match = re.search(r"version (\d+)\.(\d+)", text)
    if not match:
        raise GuestError(
            "QEMU's version",
            seen=text[:200],
            wanted="QEMU emulator version X.Y",
            next_step=f"reinstall {package}",
        )
    version = (int(match.group(1)), int(match.group(2)))
    if version < OLDEST_QEMU:
        raise GuestError(
            "QEMU is too old",
            seen=f"{version[0]}.{version[1]}",
            wanted=f">= {OLDEST_QEMU[0]}.{OLDEST_QEMU[1]}",
            next_step="upgrade it",
        )
    return version


def config_text(config: Mapping[str, str]) -> str:
    """Return what the guest reads at boot; refuses what its shell could misread."""
    for key, value in config.items():
        if not _CONFIG_KEY.fullmatch(key) or not _CONFIG_VALUE.fullmatch(value):
            raise GuestError(
                "guest configuration", seen=f"{key}={value}", wanted="[a-z0-9_]+=[A-Za-z0-9._:/@+-]+"
            )
    return "".join(f"{key}={value}\n" for key, value in sorted(config.items()))


def last_lines(output: bytes) -> str:
    """Return the last lines a program wrote, as one."""
    lines = output[-4000:].decode("utf-8", "replace").strip().splitlines()
    return "; ".join(line.strip() for line in lines[-3:])
