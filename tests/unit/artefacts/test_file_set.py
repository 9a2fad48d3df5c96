# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.artefacts.file_set import (
    File,
    digest,
    install_command,
    parse,
    plan,
    read_command,
    remove_command,
)

DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
FILES = st.lists(
    st.builds(
        File,
        st.text("abc/ '\"$", min_size=1, max_size=12).map(lambda name: "/" + name),
        st.just("0644"),
        DIGESTS,
    ),
    unique_by=lambda file: file.dest,
)


@given(FILES)
def test_plan_of_the_desired_state_is_empty(files: list[File]) -> None:
    assert plan({file.dest: file.found for file in files}, files) == ()


@given(FILES)
def test_plan_on_an_empty_host_writes_everything(files: list[File]) -> None:
    assert plan({}, files) == tuple(files)


def shell(command: str) -> str:
    return subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", ["plain", "with blank", "quote'd", "dollar$(x)"])
def test_files_are_read_installed_and_then_right(tmp_path: Path, name: str) -> None:
    upload = tmp_path / "upload"
    upload.write_text("content")
    wanted = File(str(tmp_path / "deep" / name), "0640", digest(upload))
    assert parse(shell(read_command([wanted]))) == {}
    shell(install_command([wanted], {wanted.dest: str(upload)}))
    assert plan(parse(shell(read_command([wanted]))), [wanted]) == ()
    assert Path(wanted.dest).stat().st_mode & 0o777 == 0o640


def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(tmp_path: Path) -> None:
    """The limit of a file's size stands in for the disk's end."""
    (tmp_path / "upload").write_bytes(b"x" * 100_000)
    there = tmp_path / "there"
    there.write_text("old")
    command = install_command([File(str(there), "0644", "0" * 64)], {str(there): str(tmp_path / "upload")})
    full = f"trap '' XFSZ; ulimit -f 8; {command}"
    done = subprocess.run(["sh", "-c", full], capture_output=True, text=True, check=False)
    assert (done.returncode, "large" in done.stderr) == (1, True)
    assert there.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"there", "upload"}


def test_a_changed_file_is_written_again(tmp_path: Path) -> None:
    there = tmp_path / "file"
    there.write_text("old")
    wanted = File(str(there), "0644", "0" * 64)
    assert plan(parse(shell(read_command([wanted]))), [wanted]) == (wanted,)


@pytest.mark.parametrize(
    "output",
    [
        "sha256sum: not found",
        "644 root root deadbeef  /x",
        "0" * 64 + "  /x",
        "644 root root " + "0" * 64 + " /x",
        "644 root root \\" + "0" * 64 + "  /x",
    ],
)
def test_output_of_another_form_is_refused(output: str) -> None:
    with pytest.raises(ValueError, match="stat and sha256sum printed"):
        parse(output)


@pytest.mark.parametrize("drift", ["chmod 666", "chown nobody", "chgrp nogroup"])
def test_other_rights_are_a_change(tmp_path: Path, drift: str) -> None:
    (tmp_path / "upload").write_text("content")
    there = tmp_path / "there"
    wanted = File(str(there), "0640", digest(tmp_path / "upload"))
    install = install_command([wanted], {wanted.dest: str(tmp_path / "upload")})
    shell(install)
    shell(f"{drift} {there}")
    assert plan(parse(shell(read_command([wanted]))), [wanted]) == (wanted,)
    shell(install)
    assert plan(parse(shell(read_command([wanted]))), [wanted]) == ()


def test_a_file_that_its_check_refuses_leaves_all_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "upload").write_text("bad")
    good = File(str(tmp_path / "first"), "0644", "0" * 64)
    bad = File(str(tmp_path / "second"), "0644", "0" * 64, check="grep -q good %s")
    uploads = dict.fromkeys((good.dest, bad.dest), str(tmp_path / "upload"))
    with pytest.raises(subprocess.CalledProcessError):
        shell(install_command([good, bad], uploads))
    assert {path.name for path in tmp_path.iterdir()} == {"upload"}
    (tmp_path / "upload").write_text("good")
    shell(install_command([good, bad], uploads))
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second", "upload"}


@pytest.mark.parametrize("name", ["plain", "with blank", "quote'd"])
def test_what_is_not_wanted_is_told_and_removed(tmp_path: Path, name: str) -> None:
    there, dangling, never = (tmp_path / each for each in (name, "dangling", "never"))
    there.write_text("x")
    dangling.symlink_to("/nonexistent")
    unwanted = [str(there), str(dangling), str(never)]
    assert parse(shell(read_command([], unwanted))).keys() == {str(there), str(dangling)}
    shell(remove_command(unwanted))
    assert parse(shell(read_command([], unwanted))) == {}


def test_nothing_is_removed_where_nothing_is_named() -> None:
    assert remove_command([]) == ""
