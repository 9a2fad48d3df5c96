# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.artefacts.file_set import File, digest, install_command, parse, plan, read_command

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
    assert plan({file.dest: file.sha256 for file in files}, files) == ()


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
    "output", ["sha256sum: not found", "deadbeef  /x", "0" * 64 + " /x", "\\" + "0" * 64 + "  /x"]
)
def test_output_of_another_form_is_refused(output: str) -> None:
    with pytest.raises(ValueError, match="sha256sum printed"):
        parse(output)
