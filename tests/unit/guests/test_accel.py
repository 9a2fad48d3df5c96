# SPDX-License-Identifier: GPL-3.0-or-later
"""KVM counts only when a guest has really run with it."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from eyrie.guests.accel import probe_rom, try_accelerator
from eyrie.guests.backend import GuestError


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_the_rom_starts_at_the_reset_vector() -> None:
    rom = probe_rom()
    assert len(rom) == 65536
    assert rom[-16:-11] == bytes.fromhex("b02ae6f4f4")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 85", ""),
        ("exit 0", "status 0"),
        ("echo 'failed to initialize kvm: Permission denied' >&2; exit 1", "Permission denied"),
        ("exec sleep 30", "no answer within 0.5 s"),
    ],
    ids=["ran", "ended otherwise", "refused", "hangs"],
)
def test_verdict(tmp_path: Path, script: str, reason: str) -> None:
    began = time.monotonic()
    verdict = try_accelerator("kvm", program(tmp_path / "qemu", script), (), 0.5)
    assert reason in verdict if reason else verdict == ""
    assert time.monotonic() - began < 5


def test_missing_qemu_is_told() -> None:
    with pytest.raises(GuestError, match="install qemu-system-x86"):
        try_accelerator("kvm", "/nowhere/qemu", (), 1)


@pytest.mark.integration
def test_real_qemu_runs_the_rom() -> None:
    assert try_accelerator("tcg", "qemu-system-x86_64", (), 20) == ""


@pytest.mark.integration
def test_a_real_refusal_is_passed_on() -> None:
    if os.geteuid() == 0:  # whoever may not open /dev/kvm is told so by QEMU itself
        prefix = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    else:
        prefix = []
    assert "nonsense" in try_accelerator("nonsense", "qemu-system-x86_64", prefix, 20)
