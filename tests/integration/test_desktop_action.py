# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `desktop` by a real Ansible, against a real WinRM endpoint that keeps it out."""

from __future__ import annotations

from pathlib import Path

import pytest
from desktop_clients import certificate, desktop
from test_winrm_cmd_ansible import Ansible

pytestmark = pytest.mark.slow

ABSENT = ("-m", "eyrie.pool.desktop", "-a")


@pytest.mark.parametrize("mode, code", [("fail", 2), ("accept", 0)])
def test_policy_that_forbids_remote_shells_is_named(tmp_path: Path, mode: str, code: int) -> None:
    with desktop(remote_shells=False) as (_, place):
        ended, told = Ansible(tmp_path, place).run(*ABSENT, f"state=absent forbidden_shells={mode}")
    text = " ".join(told.split())
    assert ended == code and "policy forbids remote shells" in text and "docs/msi.md" in text
    assert '"outcome": "remote shells forbidden"' in text or "outcome: remote shells forbidden" in text


def test_wrong_credentials_are_the_connections_to_name(tmp_path: Path) -> None:
    with desktop() as (_, place):
        ended, told = Ansible(tmp_path, place).run(*ABSENT, "state=absent", "-e", "ansible_password=wrong")
    assert ended == 4 and "UNREACHABLE" in told and "credentials" in told


def test_an_expired_certificate_is_the_connections_to_name(tmp_path: Path) -> None:
    expired = certificate(tmp_path, days=-1)
    with desktop(certificate=expired) as (_, place):
        options = ("-e", "ansible_winrm_scheme=https", "-e", f"ansible_winrm_ca_trust_path={expired}")
        ended, told = Ansible(tmp_path, place).run(*ABSENT, "state=absent", *options)
    assert ended == 4 and "out of its time" in " ".join(told.split())


def test_what_is_no_windows_is_named(tmp_path: Path) -> None:
    """The endpoint's stand-in runs POSIX sh: no answer that cmd.exe would give."""
    with desktop() as (_, place):
        ended, told = Ansible(tmp_path, place).run(*ABSENT, "state=absent")
    assert ended == 2 and "no cmd.exe" in told
