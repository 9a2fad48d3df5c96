# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions that send their script by standard input: the real scripts on a real folder."""

from __future__ import annotations

import getpass
import grp
import importlib
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

COLLECTIONS = Path(__file__).parents[3] / ".collections"
ME = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name}

pytestmark = pytest.mark.skipif(not COLLECTIONS.exists(), reason="the checkout is not linked as a collection")


class Host:
    """This machine, asked as a host is; remembers what a process list would show."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(COLLECTIONS))
        self.commands: list[str] = []

    def do(self, action: str, *, check: bool = False, diff: bool = False, **arguments: Any) -> dict[str, Any]:
        module = importlib.import_module(f"ansible_collections.eyrie.pool.plugins.action.{action}")
        task = SimpleNamespace(args=arguments, check_mode=check, async_val=0, diff=diff, action=action)
        templar = SimpleNamespace(template=lambda value: value)
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
        played = module.ActionModule(task, connection, None, None, templar, None)
        played._low_level_execute_command = self._answer
        self.commands = []
        result: dict[str, Any] = played.run(None, {})
        return result

    def _answer(self, command: str, in_data: bytes) -> dict[str, Any]:
        self.commands.append(command)
        done = subprocess.run(["sh", "-c", command], input=in_data, capture_output=True, check=False)
        return {"rc": done.returncode, "stdout": done.stdout.decode(), "stderr": done.stderr.decode()}


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(monkeypatch)


def file(path: Path, text: str, **more: str) -> dict[str, str]:
    return {"path": str(path), "text": text, **ME, **more}


def test_files_are_written_once_and_cost_one_round_trip_after(host: Host, tmp_path: Path) -> None:
    files = [
        file(tmp_path / "deep" / "rules", "END-OF-FILE\n$(no) 'quotes' ü\n", kind="rules"),
        file(tmp_path / "with blank", "no newline at the end", mode="0600", kind="key"),
    ]
    done = host.do("text_files", files=files)
    assert (done["changed"], done["text_files"]["kinds"], len(host.commands)) == (True, ["key", "rules"], 3)
    assert [(tmp_path / "deep" / "rules").read_text(), (tmp_path / "with blank").read_text()] == [
        each["text"] for each in files
    ]
    assert (tmp_path / "with blank").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o755
    again = host.do("text_files", files=files)
    assert (again["changed"], again["text_files"], len(host.commands)) == (
        False,
        {"changed": [], "kinds": []},
        1,
    )


def test_a_process_list_shows_no_text(host: Host, tmp_path: Path) -> None:
    host.do("text_files", files=[file(tmp_path / "key", "secret")])
    host.do("shell_script", script="echo secret")
    assert set(host.commands) == {"sh -s --"}
    host.do("text_files", files=[file(tmp_path / "key", "other")])
    assert set(host.commands) == {"sh -s"}


def test_check_mode_tells_the_truth_and_does_nothing(host: Host, tmp_path: Path) -> None:
    there, unwanted = tmp_path / "there", tmp_path / "unwanted"
    there.write_text("old\n")
    unwanted.write_text("x\n")
    wanted = {"files": [file(there, "new\n", kind="device")], "absent": [str(unwanted)]}
    done = host.do("text_files", check=True, diff=True, **wanted)
    assert (done["changed"], done["text_files"]["kinds"]) == (True, ["absent", "device"])
    assert done["diff"] == {
        "before": f"# {there}\nold\n# {unwanted}\nx\n",
        "after": f"# {there}\nnew\n",
    }
    assert (there.read_text(), unwanted.exists()) == ("old\n", True)
    really = host.do("text_files", diff=True, **wanted)
    assert (really["diff"], really["text_files"]) == (done["diff"], done["text_files"])
    assert (there.read_text(), unwanted.exists()) == ("new\n", False)


def test_without_diff_no_text_is_read_or_shown(host: Host, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret")
    done = host.do("text_files", absent=[str(tmp_path / "key")])
    assert (done["changed"], "secret" in str(done), len(host.commands)) == (True, False, 3)


def test_one_refused_file_leaves_all_as_they_were(host: Host, tmp_path: Path) -> None:
    old, unwanted = tmp_path / "old", tmp_path / "unwanted"
    old.write_text("old")
    unwanted.write_text("x")
    files = [file(old, "new"), file(tmp_path / "rules", "wrong", check="grep -q right %s")]
    with pytest.raises(AnsibleActionFail, match="Could not write files"):
        host.do("text_files", files=files, absent=[str(unwanted)])
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"old": "old", "unwanted": "x"}


def test_other_rights_alone_are_put_right(host: Host, tmp_path: Path) -> None:
    files = [file(tmp_path / "key", "secret", mode="0600")]
    host.do("text_files", files=files)
    (tmp_path / "key").chmod(0o644)
    assert host.do("text_files", files=files)["changed"]
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_script_sees_its_arguments_and_tells_its_streams_apart(host: Host) -> None:
    done = host.do(
        "shell_script", script='echo "$2"; echo "$1" >&2; exit 0', arguments=["it's", "a b", "$(c)"]
    )
    assert (done["stdout"], done["stderr_lines"], done["rc"], len(host.commands)) == ("a b\n", ["it's"], 0, 1)


def test_a_script_that_fails_says_why(host: Host) -> None:
    done = host.do("shell_script", script="echo no room >&2; exit 3")
    assert (done["failed"], done["rc"], done["msg"]) == (True, 3, "no room")
    silent = host.do("shell_script", script="exit 4")
    assert silent["msg"] == "the script ended with 4"


def test_a_script_is_not_run_in_check_mode(host: Host, tmp_path: Path) -> None:
    done = host.do("shell_script", check=True, script=f"touch {tmp_path}/done")
    assert (done["skipped"], host.commands, list(tmp_path.iterdir())) == (True, [], [])
