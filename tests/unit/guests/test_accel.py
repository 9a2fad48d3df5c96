# SPDX-License-Identifier: GPL-3.0-or-later
"""KVM counts only when a guest's kernel has really run with it."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest

from eyrie.guests.accel import try_accelerator
from eyrie.guests.backend import GuestError


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'eyrie: the probe runs'", ""),
        ("echo 'Kernel panic - not syncing'; exit 0", "status 0"),
        ("echo 'failed to initialize kvm: Permission denied' >&2; exit 1", "Permission denied"),
        ("echo 'KVM internal error. Suberror: 1' >&2; exec sleep 30", "KVM internal error"),
        ("exec sleep 30", "no answer within 0.5 s"),
    ],
    ids=["ran", "panicked", "refused", "stopped by an internal error", "hangs"],
)
def test_verdict(tmp_path: Path, script: str, reason: str) -> None:
    began = time.monotonic()
    verdict = try_accelerator("kvm", "/image", program(tmp_path / "qemu", script), (), 0.5)
    assert reason in verdict if reason else verdict == ""
    assert time.monotonic() - began < 5


def test_missing_qemu_is_told() -> None:
    with pytest.raises(GuestError, match="install qemu-system-x86"):
        try_accelerator("kvm", "/image", "/nowhere/qemu", (), 1)


@pytest.mark.integration
def test_a_real_kernel_answers_and_a_real_refusal_is_passed_on() -> None:
    from eyrie.apt_mirror import debian_mirror
    from eyrie.guests.image.build import build_image
    from eyrie.guests.image.recipe import Recipe

    image = str(build_image(Recipe(), debian_mirror).directory)
    assert try_accelerator("tcg", image, "qemu-system-x86_64", (), 60) == ""
    assert "nonsense" in try_accelerator("nonsense", image, "qemu-system-x86_64", (), 20)
