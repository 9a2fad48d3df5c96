# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from pathlib import Path

import cmd_model
import pytest

from eyrie.errors import EyrieError
from eyrie.windows import modules, remote_python


def run(line: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        cmd_model.argv(cmd_model.create_process(line)), input=given, capture_output=True, timeout=60
    )


@pytest.mark.parametrize("content", [b"", b"\0\r\n\x1a" * 50_000])
def test_copies_there_and_back(tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "ü 50% & co"
    digest = hashlib.sha256(content).hexdigest()
    pieces = list(remote_python.put_input(str(target), digest, io.BytesIO(content), 65536))
    assert max(map(len, pieces)) <= 65536
    assert run(remote_python.put_line(sys.executable), b"".join(pieces)).returncode == 0
    assert target.read_bytes() == content and list(tmp_path.iterdir()) == [target]
    fetched = run(remote_python.fetch_line(sys.executable), remote_python.fetch_input(str(target)))
    assert (fetched.stdout, remote_python.fetch_sha256(fetched.stderr)) == (content, digest)


def test_keeps_the_old_file_if_the_new_one_is_damaged(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    given = b"".join(remote_python.put_input(str(target), "0" * 64, io.BytesIO(b"new"), 10))
    done = run(remote_python.put_line(sys.executable), given)
    assert done.returncode == 1 and b"other SHA-256" in done.stderr
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("path", ["", "a\nb", "a\rb"])
def test_refuses_paths_of_several_lines(path: str) -> None:
    with pytest.raises(EyrieError, match="path on a desktop"):
        remote_python.fetch_input(path)


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        (
            "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand UABvAHcA",
            True,
        ),
        ('"powershell.exe" -enc AAAA', True),
        ("powershell -Command Get-Date", False),
        ("echo -EncodedCommand AAAA", False),
        ("msiexec /i x.msi", False),
    ],
)
def test_knows_encoded_powershell(line: str, hidden: bool) -> None:
    assert modules.is_encoded_powershell(line) is hidden


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (b"_ansiballz_main(\n    ansible_module='ping',", "ping"),
        (b"    ansible_module='ansible.legacy.ping',", "ping"),
        (b"    ansible_module='community.general.x',", "community.general.x"),
        (b"something else", ""),
        (None, ""),
    ],
)
def test_finds_the_name_of_a_module(payload: bytes | None, name: str) -> None:
    assert modules.module_name(payload) == name
