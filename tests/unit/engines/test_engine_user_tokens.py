# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of a master's people: the real scripts, with folders as homes and no account touched."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from eyrie.engines.minting import mint
from eyrie.engines.tokens import WantedToken, decode
from eyrie.engines.user_tokens import (
    ADMINISTERING,
    SUBMITTING,
    People,
    Shown,
    parse,
    plan,
    read_command,
    write_command,
)
from eyrie.errors import EyrieError

DAY = 86400
NOW = time.time()
POOL = WantedToken("lab", "", frozenset(), 30 * DAY, "k" * 64)
PEOPLE = People(frozenset({"alice", "bob"}), frozenset({"bob", "carol"}))


def token(name: str, scopes: frozenset[str] = SUBMITTING, key: str = "k" * 64, age: float = 0) -> str:
    return mint(WantedToken("lab", f"{name}@lab", scopes, 30 * DAY, key), NOW - age)


def shown(text: str) -> Shown:
    return Shown(text.rpartition(".")[0], hashlib.sha256(text.encode()).hexdigest())


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("alice", token("alice"), ""),
        ("bob", token("bob", ADMINISTERING), ""),
        ("carol", token("carol", ADMINISTERING), ""),
        ("alice", "", "missing"),
        ("alice", token("bob"), "belongs to"),
        ("alice", token("alice", ADMINISTERING), "something else"),
        ("bob", token("bob"), "something else"),
        ("alice", token("alice", key="x" * 64), "another key"),
        ("alice", token("alice")[:-3], "another key, or is damaged"),
        ("alice", token("alice", age=21 * DAY), "a third"),
    ],
)
def test_who_needs_a_token(name: str, text: str, reason: str) -> None:
    told = plan({name: shown(text)}, PEOPLE, POOL, NOW)
    assert (reason in told[name]) if reason else (told == {})


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    """Make a place where `runuser` becomes somebody by changing the home alone, and condor makes a token."""
    programs = {
        "getent": 'case $2 in "") cat "$PLACE/passwd" ;; ghost) exit 2 ;; *) echo ":::::$HOME:" ;; esac',
        "runuser": 'HOME=$PLACE/$2; shift 3; export HOME; exec "$@"',
        "condor_token_create": 'echo "$@" >>"$PLACE/asked"; cat "$PLACE/new"',
    }
    (tmp_path / "bin").mkdir()
    for name, script in programs.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    people = ["root:x:0:0::/root:/bin/sh", "alice:x:1000:1000::/:/bin/bash", "daemon:x:7:7::/:/bin/sh"]
    people += ["shop:x:1001:1001::/:/usr/sbin/nologin", "nobody:x:65534:65534::/:/bin/sh"]
    (tmp_path / "passwd").write_text("\n".join(people) + "\n")
    for name in ("alice", "bob", "carol"):
        (tmp_path / name).mkdir()
    return tmp_path


def sh(script: str, place: Path) -> str:
    path = f"{place}/bin:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": path, "PLACE": str(place)},
    )
    assert done.stderr == ""
    return done.stdout


def test_tokens_are_read_without_being_shown_then_made_and_right(homes: Path) -> None:
    present = parse(sh(read_command(PEOPLE), homes))
    assert set(plan(present, PEOPLE, POOL, NOW)) == {"alice", "bob", "carol"}
    (homes / "new").write_text(token("alice") + "\n")
    assert sh(write_command(["alice"], PEOPLE, "lab", 30 * DAY), homes) == ""
    file = homes / "alice/.condor/tokens.d/eyrie"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [path.name for path in file.parent.parent.iterdir()] == ["tokens.d"]
    assert (homes / "asked").read_text().split() == [
        *[
            "-identity",
            "alice@lab",
            "-key",
            "POOL",
            "-lifetime",
            "2592000",
            "-authz",
            "READ",
            "-authz",
            "WRITE",
        ]
    ]
    output = sh(read_command(PEOPLE), homes)
    assert token("alice").rpartition(".")[2] not in output
    assert base64.b64encode(token("alice").encode()).decode() not in output
    assert set(plan(parse(output), PEOPLE, POOL, NOW)) == {"bob", "carol"}


def test_an_admins_token_allows_more(homes: Path) -> None:
    (homes / "new").write_text(token("bob", ADMINISTERING))
    sh(write_command(["bob"], PEOPLE, "lab", 30 * DAY), homes)
    assert "-authz ADMINISTRATOR" in (homes / "asked").read_text()
    made = decode((homes / "bob/.condor/tokens.d/eyrie").read_text())
    assert made is not None and made.scopes == ADMINISTERING


def test_everybody_is_every_person_and_no_service(homes: Path) -> None:
    everybody = People(frozenset({"*"}), frozenset({"carol"}))
    assert set(parse(sh(read_command(everybody), homes))) == {"alice", "carol"}


def test_a_token_that_cannot_be_made_replaces_none(homes: Path) -> None:
    (homes / "bin/condor_token_create").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(subprocess.CalledProcessError):
        sh(write_command(["alice"], PEOPLE, "lab", DAY), homes)
    assert not (homes / "alice/.condor").exists()


def test_an_account_that_is_not_there_is_named(homes: Path) -> None:
    with pytest.raises(EyrieError, match="ghost"):
        parse(sh(read_command(People(frozenset({"ghost"}), frozenset())), homes))


@pytest.mark.parametrize("line", ["Welcome!", "alice", "alice e30="])
def test_an_odd_answer_is_refused(line: str) -> None:
    with pytest.raises(EyrieError, match="accounts"):
        parse(line)


def test_odd_bytes_in_a_token_are_damage() -> None:
    present = parse(f"alice {base64.b64encode(bytes([255, 46])).decode()} {'0' * 64}\n")
    assert "damaged" in plan(present, PEOPLE, POOL, NOW)["alice"]
