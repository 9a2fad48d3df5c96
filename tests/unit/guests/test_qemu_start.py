# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a guest from starting is told in words of use."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from eyrie.guests.accel import Accelerator
from eyrie.guests.backend import GuestError, GuestSpec
from eyrie.guests.qemu import QemuBackend, find_account, prepare_run_dir, qemu_version, write_config

OLD = "echo 'QEMU emulator version 6.2.0 (Debian 1:6.2)'"
NEW = "echo 'QEMU emulator version 10.0.2'"


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def spec(folder: Path) -> GuestSpec:
    return GuestSpec(
        name="desk-1",
        image=str(folder),
        image_id="id",
        memory_mib=64,
        cpus=1,
        cpu_percent=100,
        user="",
        accel="tcg",
        token=str(folder / "token"),
        run_dir=str(folder / "run"),
        config={"name": "desk-1"},
    )


def test_version_is_read(tmp_path: Path) -> None:
    assert qemu_version(program(tmp_path / "qemu", NEW)) == (10, 0)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (OLD, "6.2.*>= 7.2"),
        ("echo nothing useful", "nothing useful"),
        ("echo broken library >&2; exit 127", "broken"),
    ],
    ids=["too old", "no version", "broken"],
)
def test_version_is_refused(tmp_path: Path, script: str, words: str) -> None:
    with pytest.raises(GuestError, match=words):
        qemu_version(program(tmp_path / "qemu", script))


def test_missing_qemu(tmp_path: Path) -> None:
    with pytest.raises(GuestError, match="install qemu-system-x86"):
        QemuBackend("/nowhere/qemu").start(spec(tmp_path))


def test_the_last_lines_of_a_dying_qemu_are_told_and_nothing_is_left(tmp_path: Path) -> None:
    dies = 'echo first >&2; echo "Could not open: No such file" >&2; exit 1'
    script = f'[ "$1" = --version ] && {NEW} && exit; {dies}'
    backend = QemuBackend(program(tmp_path / "qemu", script), Accelerator("tcg", ""))
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(GuestError, match="first; Could not open: No such file"):
        backend.start(spec(tmp_path))
    assert not (tmp_path / "run").exists()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_unknown_user() -> None:
    with pytest.raises(GuestError, match="no-such-user"):
        find_account("no-such-user")
    assert find_account("") is None
    account = find_account("nobody")
    assert account is not None and account.uid == 65534


def test_run_dir_is_private_and_fresh(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    directory.mkdir(mode=0o755)
    (directory / "left-over").write_text("")
    prepare_run_dir(directory, None)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert list(directory.iterdir()) == []


def test_config_is_written(tmp_path: Path) -> None:
    write_config(tmp_path / "config", {"port": "9618", "name": "desk-1", "slot": "a+b@c/d:e"}, None)
    assert (tmp_path / "config").read_text() == "name=desk-1\nport=9618\nslot=a+b@c/d:e\n"
    assert stat.S_IMODE((tmp_path / "config").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "a b"),
        ("name", ""),
        ("name", "a\nmaster=x"),
        ("name", "$(id)"),
        ("Name", "a"),
        ("a=b", "c"),
        ("n", "ä"),
    ],
)
def test_config_a_shell_could_misread_is_refused(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(GuestError, match="guest configuration"):
        write_config(tmp_path / "config", {key: value}, None)
    assert not (tmp_path / "config").exists()
