# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-ins for Windows' programs: answers and exit codes of Windows, and what they are when asked."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path

import pytest

from eyrie.lab.windows.programs import certutil, curl, netsh, powershell, schtasks, shutdown, stand_in


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (stand_in, shutdown):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["certutil", "curl", "netsh", "schtasks", "shutdown"])
@pytest.mark.parametrize("argv", [[], ["/?"]])
def test_each_says_that_it_is_a_stand_in(
    name: str, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module(f"eyrie.lab.windows.programs.{name}")
    assert module.main(argv) == 0
    assert capsys.readouterr().out.startswith(f"{name}: a stand-in of Eyrie's lab")


def test_powershell_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert powershell.main() == 9009
    assert "refused by a stand-in" in capsys.readouterr().err


def test_certutil_prints_as_windows_10(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x").write_bytes(b"abc")
    assert certutil.main(["-hashfile", str(folder / "x"), "SHA256"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"SHA256 hash of {folder / 'x'}:",
        hashlib.sha256(b"abc").hexdigest(),
        "CertUtil: -hashfile command completed successfully.",
    ]


def test_certutil_fails_as_windows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert certutil.main(["-hashfile", str(folder / "no"), "SHA256"]) & 0xFFFFFFFF == 0x80070002
    assert "0x80070002 (WIN32: 2 ERROR_FILE_NOT_FOUND)" in capsys.readouterr().out
    assert certutil.main(["-hashfile", str(folder / "no"), "CRC"]) & 0xFFFFFFFF == 0x80070057
    assert certutil.main(["-urlcache", "x"]) != 0


RULE = ["advfirewall", "firewall"]
GUEST = ["name=Eyrie guest", "dir=out", "action=block", r"program=C:\a b\q.exe"]


def test_rules_are_kept_shown_and_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    assert netsh.main([*RULE, "show", "rule", "name=all"]) == 1
    assert netsh.main([*RULE, "add", "rule", *GUEST]) == 0
    assert netsh.main([*RULE, "add", "rule", *GUEST, "protocol=tcp", "remoteport=1-65535"]) == 0
    capsys.readouterr()
    assert netsh.main([*RULE, "show", "rule", "name=eyrie GUEST", "verbose"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("Rule Name:                            Eyrie guest\n") == 2
    assert "Program:                              C:\\a b\\q.exe\n" in shown
    assert netsh.main([*RULE, "delete", "rule", "name=Eyrie guest", "protocol=tcp"]) == 0
    assert "Deleted 1 rule(s).\nOk." in capsys.readouterr().out
    assert netsh.main([*RULE, "delete", "rule", "name=all"]) == 0
    assert netsh.main([*RULE, "delete", "rule", "name=all"]) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["interface", "show"], "not known to this stand-in"),
        ([*RULE, "set", "rule", "name=x"], "not found"),
        ([*RULE, "add", "rule", "dir=in", "action=allow"], "missing: name"),
        ([*RULE, "add", "rule", "name=x", "action=allow"], "missing: dir"),
        ([*RULE, "add", "rule", "name=x", "dir=up", "action=allow"], "not valid: dir=up"),
        ([*RULE, "add", "rule", "name=x", "dir=in", "action=allow", "localport=1"], "TCP or UDP"),
        ([*RULE, "add", "rule", "name=x", "dir=in", "action=allow", "colour=red"], "'colour' is not a valid"),
    ],
)
def test_bad_rules_are_refused(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert netsh.main(words) == 1
    assert says in capsys.readouterr().out


CREATE = ["/create", "/tn", "X", "/tr", "cmd /c exit 3", "/sc", "once", "/st", "00:00", "/ru", "SYSTEM"]


def test_a_task_lives(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert schtasks.main(CREATE) == 0
    assert schtasks.main(CREATE) == 1
    assert "already exists" in capsys.readouterr().err
    assert schtasks.main([*CREATE, "/f"]) == 0
    assert schtasks.main(["/query", "/tn", "X", "/fo", "list"]) == 0
    assert "Last Result:   267011\n" in capsys.readouterr().out
    assert schtasks.main(["/run", "/tn", "\\X"]) == 0
    (left,) = folder.glob("start-*")
    assert left.read_text().endswith("-m desktop_programs.schtasks --follow X")
    assert schtasks.main(["/query"]) == 0
    assert "Status:        Running\n" in capsys.readouterr().out
    assert schtasks.main(["/delete", "/tn", "X", "/f"]) == 0
    for verb in ("/run", "/query", "/delete", "/end"):
        assert schtasks.main([verb, "/tn", "X"]) == 1


@pytest.mark.parametrize(
    "words",
    [["/create", "/tn", "X", "/sc", "once"], ["/run"], ["/fly", "/tn", "X"], [*CREATE, "/colour"]],
)
def test_bad_tasks_are_refused(words: list[str]) -> None:
    assert schtasks.main(words) == 1


def test_a_tasks_result_is_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    schtasks.main([*CREATE[:4], "sh -c 'exit 3'", *CREATE[5:]])
    started: list[object] = []

    class Program:
        pid = 7

        def __init__(self, line: str, **_: object) -> None:
            started.append(line)

        def wait(self) -> int:
            return 3010

    monkeypatch.setattr(schtasks.subprocess, "Popen", Program)
    assert schtasks.main(["--follow", "X"]) == 0
    assert started == ["sh -c 'exit 3'"]
    assert stand_in.load("tasks", {})["X"]["result"] == 3010


@pytest.mark.parametrize(
    ("words", "request_is"),
    [
        (["/r", "/t", "0", "/d", "p:4:1", "/c", "a b"], "reboot"),
        (["-s", "-f", "-t", "5"], "off"),
        (["/p"], "off"),
    ],
)
def test_shutdown_leaves_a_request(folder: Path, words: list[str], request_is: str) -> None:
    assert shutdown.main(words) == 0
    assert (folder / "power").read_text().split()[0] == request_is
    assert shutdown.main(["/r"]) == 1190
    assert shutdown.main(["/a"]) == 0
    assert not (folder / "power").exists()
    assert shutdown.main(["/a"]) == 1116


@pytest.mark.parametrize("words", [["/t", "0"], ["/r", "/t", "soon"], ["/x"]])
def test_bad_shutdowns_are_refused(folder: Path, words: list[str]) -> None:
    assert shutdown.main(words) == 1
    assert not (folder / "power").exists()


def test_curl_knows_its_options() -> None:
    options, addresses = curl.parse(["-fsSL", "--output", "x y", "--cacert", "ca.pem", "https://a/b"])
    assert (options, addresses) == ({"output": "x y", "cacert": "ca.pem"}, ["https://a/b"])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--upload-file", "x", "http://127.0.0.1:9/"], 2),
        (["-o", "x"], 2),
        (["ftp://127.0.0.1/x"], 3),
        (["-f", "http://127.0.0.1:9/"], 7),
    ],
)
def test_curl_fails_as_curl(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert curl.main(words) == code
    assert capsys.readouterr().err.startswith(f"curl: ({code}) ")
