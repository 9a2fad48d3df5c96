# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out whether WHPX really runs a guest here, by running one; and remember it, for it takes a while."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Protocol

from eyrie.guests.accel import ANSWER, Accelerator
from eyrie.guests.backend import GuestError, GuestSpec

WATCHDOG_SECONDS = 10.0  # a WHPX that hangs after its start never falls back by itself
PROBE_MIB = 256
# A desktop where it failed is tried again: a feature may have been enabled, a firmware updated.
TRY_AGAIN_SECONDS = 7 * 86400.0
# Loops in a guest of one core against the same on its desktop: integers 4.5, floating point 12.
TCG = "guests run in software emulation (TCG), about 5 to 12 times slower than the desktop itself"
_LOADER = "WinHvPlatform.dll"


class Probe(Protocol):
    """The little of a guest that a probe needs."""

    def console(self) -> str:
        """Return what it printed since the last call."""

    def exit_status(self) -> int | None:
        """Return None while it runs."""

    def last_words(self) -> str:
        """Return what QEMU complained of."""

    def kill(self) -> None:
        """End it."""

    def close(self) -> None:
        """Remove what it left."""


@dataclass(frozen=True)
class Memory:
    """What was found, in the agent's state directory, for one desktop, one QEMU and one kernel."""

    file: Path

    def recall(self, key: str, now: float) -> Accelerator | None:
        """Return what was found under the same circumstances, unless it is time to look again."""
        try:
            data = json.loads(self.file.read_text(encoding="utf-8"))
            name, notice, when = str(data["name"]), str(data["notice"]), float(data["when"])
            if data["key"] != key or name not in ("whpx", "tcg"):
                return None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if name == "tcg" and not 0 <= now - when < TRY_AGAIN_SECONDS:
            return None
        return Accelerator(name, notice)

    def keep(self, key: str, found: Accelerator, now: float) -> None:
        """Write down what was found; a full disk only means looking again."""
        draft = self.file.with_suffix(".new")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            data = {"key": key, "name": found.name, "notice": found.notice, "when": now}
            draft.write_text(json.dumps(data), encoding="utf-8")
            draft.replace(self.file)
        except OSError:
            return


def circumstances(version: tuple[int, int], image_id: str) -> str:
    """Return what the answer depends on: this desktop, its Windows, QEMU, and the kernel that is booted."""
    qemu = f"QEMU {version[0]}.{version[1]}"
    return "|".join((platform.node(), platform.machine(), platform.version(), qemu, image_id))


def hypervisor_offered() -> bool:
    """Look, without opening anything, whether the Windows Hypervisor Platform is installed."""
    root = os.environ.get("SYSTEMROOT", r"C:\Windows")
    return sys.maxsize > 2**32 and (Path(root) / "System32" / _LOADER).exists()


def probe(start: Callable[[], Probe], offered: bool, seconds: float = WATCHDOG_SECONDS) -> Accelerator:
    """Return whpx if the guest's own kernel runs under it within `seconds`, else tcg and why."""
    if not offered:
        return Accelerator("tcg", f"the Windows Hypervisor Platform is not enabled: {TCG}")
    failure = try_whpx(start, seconds)
    if failure:
        return Accelerator("tcg", f"WHPX does not work here ({failure}): {TCG}")
    return Accelerator("whpx", "guests run with WHPX")


def try_whpx(start: Callable[[], Probe], seconds: float) -> str:
    """Run a guest that only answers; return the empty string, or why there was no answer."""
    deadline = time.monotonic() + seconds
    try:
        guest = start()
    except GuestError as error:
        return str(error.seen)
    heard = ""
    try:
        while time.monotonic() < deadline:
            if guest.exit_status() is not None:
                return guest.last_words() or f"QEMU ended with status {guest.exit_status()}"
            heard += guest.console()
            if ANSWER.decode() in heard:
                return ""
            time.sleep(0.1)
        return f"no answer within {seconds:g} s"
    except GuestError as error:
        return guest.last_words() or str(error.seen)
    finally:
        guest.kill()
        guest.close()


def probe_spec(spec: GuestSpec) -> GuestSpec:
    """Return the guest to probe with: like the real one, as small as the kernel allows."""
    return GuestSpec(
        name="eyrie-probe",
        image=spec.image,
        image_id=spec.image_id,
        memory_mib=PROBE_MIB,
        cpus=1,
        cpu_percent=100,
        user=spec.user,
        accel="whpx",
        token=spec.token,
        run_dir=f"{spec.run_dir}-probe",
    )
