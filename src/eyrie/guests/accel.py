# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out whether KVM really runs a virtual machine here: the device node proves nothing."""

from __future__ import annotations

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from eyrie.guests.backend import GuestError

PROBE_SECONDS = 3.0
_ANSWER = 0x2A
# isa-debug-exit ends QEMU with status (value << 1) | 1.
_RIGHT_STATUS = (_ANSWER << 1) | 1
_ROM_SIZE = 65536
_EXIT_PORT = 0xF4


@dataclass(frozen=True)
class Accelerator:
    """What guests will run with, and a sentence for the owner of the machine."""

    name: str  # kvm or tcg
    notice: str


def probe(
    qemu: str = "qemu-system-x86_64", prefix: Sequence[str] = (), seconds: float = PROBE_SECONDS
) -> Accelerator:
    """Return kvm if a tiny guest runs with it within `seconds`, else tcg and the reason.

    `prefix` is the command that gives up privileges, so that the guest's own user is what is tried.
    """
    if not Path("/dev/kvm").exists():  # a look that does not open it: opening can hang for ever
        return Accelerator("tcg", "no /dev/kvm: guests run in software emulation (TCG), several times slower")
    failure = try_accelerator("kvm", qemu, prefix, seconds)
    if failure:
        return Accelerator(
            "tcg", f"KVM does not work here ({failure}): guests run in software emulation (TCG)"
        )
    return Accelerator("kvm", "guests run with KVM")


def try_accelerator(name: str, qemu: str, prefix: Sequence[str], seconds: float) -> str:
    """Run three instructions in a guest; return the empty string, or why that failed."""
    with tempfile.TemporaryDirectory(prefix="eyrie-probe-") as directory:
        rom = Path(directory) / "rom"
        rom.write_bytes(probe_rom())
        rom.chmod(0o644)
        Path(directory).chmod(0o755)  # QEMU reads it as another user
        command = [*prefix, qemu, "-accel", name, "-machine", "pc", "-m", "1", "-bios", str(rom)]
        command += ["-nodefaults", "-display", "none", "-no-reboot", "-no-user-config"]
        command += ["-device", f"isa-debug-exit,iobase={_EXIT_PORT:#x},iosize=1"]
        return _judge(command, seconds)


def probe_rom() -> bytes:
    """Build a firmware whose first instructions, at the reset vector, report success and halt."""
    code = bytes([0xB0, _ANSWER, 0xE6, _EXIT_PORT, 0xF4])  # mov al, ANSWER; out EXIT_PORT, al; hlt
    return b"\xf4" * (_ROM_SIZE - 16) + code.ljust(16, b"\xf4")


def _judge(command: Sequence[str], seconds: float) -> str:
    """Run the probe; never waits much longer than `seconds`, even for a process that cannot be killed."""
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
            )
        except OSError as error:
            raise GuestError(
                "QEMU", seen=str(error), wanted=command[-1], next_step="install qemu-system-x86"
            ) from error
        end = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        if process.poll() is None:
            process.kill()  # not waited for: a process stuck in the kernel dies when the kernel lets it
            return f"no answer within {seconds:g} s"
        if process.returncode == _RIGHT_STATUS:
            return ""
        errors.seek(0)
        lines = errors.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"QEMU ended with status {process.returncode}"
