# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out whether KVM really runs a guest here: neither the device node nor a few instructions prove it."""

from __future__ import annotations

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Sequence

from eyrie.guests.backend import GuestError

PROBE_SECONDS = 5.0
# Asked for on the kernel's command line, the initramfs says this on the console and powers off.
QUESTION = "eyrie.probe"
ANSWER = b"eyrie: the probe runs"


@dataclass(frozen=True)
class Accelerator:
    """What guests will run with, and a sentence for the owner of the machine."""

    name: str  # kvm or tcg
    notice: str


def probe(
    image: str,
    qemu: str = "qemu-system-x86_64",
    prefix: Sequence[str] = (),
    seconds: float = PROBE_SECONDS,
) -> Accelerator:
    """Return kvm if the kernel of the guest image `image` runs with it within `seconds`, else tcg and why.

    `prefix` is the command that gives up privileges, so that the guest's own user is what is tried.
    """
    if not Path("/dev/kvm").exists():  # a look that does not open it: opening can hang for ever
        return Accelerator("tcg", "no /dev/kvm: guests run in software emulation (TCG), several times slower")
    failure = try_accelerator("kvm", image, qemu, prefix, seconds)
    if failure:
        return Accelerator(
            "tcg", f"KVM does not work here ({failure}): guests run in software emulation (TCG)"
        )
    return Accelerator("kvm", "guests run with KVM")


def try_accelerator(name: str, image: str, qemu: str, prefix: Sequence[str], seconds: float) -> str:
    """Boot the guest's kernel up to its first program; return the empty string, or why that failed.

    A nested KVM has been seen to run simple code and to die of the kernel's first AVX or BMI instruction.
    """
    cpu = "host" if name == "kvm" else "max,-cx16"
    command = [*prefix, qemu, "-accel", name, "-machine", "q35", "-cpu", cpu, "-m", "256"]
    command += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio"]
    command += ["-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/initramfs.cpio.zst"]
    command += ["-append", f"console=ttyS0 quiet panic=-1 {QUESTION}"]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        status = _run(command, seconds, output, errors)
        output.seek(0)
        if ANSWER in output.read(65536):
            return ""
        errors.seek(0)
        lines = errors.read(4000).decode("utf-8", "replace").strip().splitlines()
    if lines:
        return lines[0]
    return f"no answer within {seconds:g} s" if status is None else f"QEMU ended with status {status}"


def _run(command: Sequence[str], seconds: float, output: IO[bytes], errors: IO[bytes]) -> int | None:
    """Return the exit status, None after `seconds`; waits no longer, even for what cannot be killed."""
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
    except OSError as error:
        raise GuestError(
            "QEMU", seen=str(error), wanted=command[0], next_step="install qemu-system-x86"
        ) from error
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    status = process.poll()
    if status is None:
        process.kill()  # not waited for: a process stuck in the kernel dies when the kernel lets it
    return status
