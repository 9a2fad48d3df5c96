# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie comosix import` as it is called."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from eyrie.cli.comosix import app
from eyrie.errors import EyrieError
from tests.unit.comosix.test_comosix_site import SITE

KEYS = b'10.77.0.1 10.77.0.2 : PSK "hunter2 hunter2 hunter2"\n'
SECRET = "hunter2"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mysite").mkdir()
    Path("comosix.ini").write_bytes(SITE.replace(b"= comosix\n", b"= hunter2\n"))
    Path("ipsec.secrets").write_bytes(KEYS)
    return tmp_path


def call(*words: str) -> str:
    done = CliRunner().invoke(
        app, ["import", "comosix.ini", "--inventory", "mysite", *words], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    told = done.output + done.stderr
    assert SECRET not in told
    return told


def files() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path("mysite").rglob("*") if path.is_file()}


def test_check_writes_nothing_and_shows_what_would_change() -> None:
    told = call("--keys", "ipsec.secrets", "--check")
    assert files() == {}
    assert "+colinux_memory_mib: 256\n" in told
    assert "mysite/secrets/comosix.yml: new: pre-shared key of 10.77.0.1, 10.77.0.2\n" in told
    assert "mysite/secrets/comosix.yml: new: password of root\n" in told
    assert "left out: comosix.ini line 9: comosix.dyndns: unknown key" in told
    assert "warning: comosix.ini line 6: comosix.root_password: shorter than 12 signs" in told
    assert "nothing is written with --check\n" in told


def test_the_second_run_changes_nothing() -> None:
    assert "mysite: written\n" in call("--keys", "ipsec.secrets")
    before = files()
    times = {path: Path(path).stat().st_mtime_ns for path in before}
    assert "mysite: unchanged\n" in call("--keys", "ipsec.secrets")
    assert "mysite: unchanged\n" in call("--keys", "ipsec.secrets", "--check")
    assert files() == before
    assert {path: Path(path).stat().st_mtime_ns for path in before} == times
    assert yaml.safe_load(before["mysite/group_vars/all/00-comosix.yml"])["colinux_pool_name"] == "office"
    assert yaml.safe_load(before["mysite/secrets/comosix.yml"]) == {
        "comosix_root_password": "hunter2",
        "comosix_pre_shared_keys": [
            {"ends": ["10.77.0.1", "10.77.0.2"], "key": "hunter2 hunter2 hunter2"},
        ],
    }


def test_secrets_lie_where_git_and_others_do_not_see_them() -> None:
    call("--keys", "ipsec.secrets")
    folder = Path("mysite/secrets")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "comosix.yml").stat().st_mode & 0o777 == 0o600
    assert (folder / ".gitignore").read_text() == "*\n"
    assert b"hunter2" not in Path("mysite/group_vars/all/00-comosix.yml").read_bytes()


def test_a_change_is_shown_and_what_is_not_given_again_stays() -> None:
    call("--keys", "ipsec.secrets")
    Path("comosix.ini").write_text("[comosix]\nmem=64\nroot_password=another hunter2\n")
    told = call()
    assert "-colinux_memory_mib: 256\n" in told and "+colinux_memory_mib: 64\n" in told
    assert "changed: password of root\n" in told and "pre-shared key" not in told
    kept = yaml.safe_load(Path("mysite/secrets/comosix.yml").read_text())
    assert len(kept["comosix_pre_shared_keys"]) == 1
    Path("ipsec.secrets").write_text('10.77.0.1 10.77.0.9 : PSK "hunter2 hunter2 hunter2"\n')
    told = call("--keys", "ipsec.secrets")
    assert "removed: pre-shared key of 10.77.0.1, 10.77.0.2\n" in told
    assert "new: pre-shared key of 10.77.0.1, 10.77.0.9\n" in told


def test_nothing_of_the_sites_own_is_overwritten() -> None:
    own = Path("mysite/group_vars/all/00-comosix.yml")
    own.parent.mkdir(parents=True)
    own.write_text("colinux_pool_name: mine\n")
    with pytest.raises(EyrieError, match="a file that no import wrote"):
        call("--keys", "ipsec.secrets")
    assert files() == {str(own): b"colinux_pool_name: mine\n"}


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("$ANSIBLE_VAULT;1.1;AES256\n6162\n", "ansible-vault decrypt"),
        ("- hunter2\n", "another form"),
        ("a: 'hunter2\n", "another form"),
        ("comosix_pre_shared_keys: [hunter2]\n", "another form"),
    ],
)
def test_secrets_that_cannot_be_compared_stop_it_before_anything_is_written(kept: str, told: str) -> None:
    path = Path("mysite/secrets/comosix.yml")
    path.parent.mkdir()
    path.write_text(kept)
    with pytest.raises(EyrieError, match=told) as refused:
        call()
    assert "hunter2" not in str(refused.value)
    assert files() == {str(path): kept.encode()}


def test_a_file_or_inventory_that_is_not_there_is_named() -> None:
    with pytest.raises(EyrieError, match=r"nothing\.secrets"):
        call("--keys", "nothing.secrets")
    Path("mysite").rmdir()
    with pytest.raises(EyrieError, match="no such folder"):
        call()
