# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from eyrie.agent.converge.spec import parse
from eyrie.desktops.model import DesktopOutcome, Done
from eyrie.desktops.spec import NOTHING, Secrets, Wanted, may_reboot, read, refuse, renewed_token, spec
from eyrie.engines.minting import mint
from eyrie.engines.tokens import WantedToken, renewal_reason

DAY = 86400
NOW = 1795260782.0
TOKEN = WantedToken("lab", "desktop-pc-1@lab", frozenset({"ADVERTISE_STARTD"}), 30 * DAY, "K" * 40)
ANSWER: dict[str, Any] = {
    "version": 1,
    "agent_version": "0.1.0",
    "facts": {"agent": {"state": "joined"}, "sessions": [], "token": {"sha256": "", "signed": ""}},
    "changed": False,
    "diff": [],
    "outdated": False,
    "reboot_required": False,
    "problems": [],
}


def answer(**changes: Any) -> Any:
    told = read(Done(0, json.dumps({**ANSWER, **changes}), ""))
    assert told is not None
    return told


def test_the_agent_reads_what_is_written() -> None:
    item = {
        "name": "qemu",
        "sha256": "ab" * 32,
        "size": 1,
        "url": "https://m/ab.zip",
        "unpack": "zip",
    }
    wanted = Wanted("0.1.0", {"x": "{item:qemu}"}, [item])
    got = parse(spec(wanted, Secrets(mint(TOKEN, NOW))).decode())
    assert got.agent_version == "0.1.0" and got.items[0].name == "qemu" and got.token
    assert parse(spec(wanted, NOTHING, any_version=True).decode()).agent_version == ""


@pytest.mark.parametrize(
    "out",
    [
        "",
        "The system cannot find the path specified.",
        "{",
        "[]",
        "{}",
        '{"version": 1}',
        json.dumps({**ANSWER, "version": 2}),
    ],
)
def test_what_is_no_answer_is_none(out: str) -> None:
    assert read(Done(1, out, "")) is None


def test_words_before_the_answer_do_not_matter() -> None:
    assert read(Done(0, "Active code page: 65001\r\n" + json.dumps(ANSWER), "")) is not None


def test_a_problem_keeps_its_name() -> None:
    refuse(answer())
    problems = [{"name": "too little memory", "text": "too little memory: found 1"}]
    with pytest.raises(DesktopOutcome, match="found 1") as raised:
        refuse(answer(problems=problems))
    assert raised.value.outcome == "too little memory"


def told_of(token: str) -> Any:
    facts = {"sha256": hashlib.sha256(token.encode()).hexdigest(), "signed": token.rpartition(".")[0]}
    return answer(facts={**ANSWER["facts"], "token": facts})


def test_a_good_token_is_kept() -> None:
    assert renewed_token(told_of(mint(TOKEN, NOW)), TOKEN, NOW + DAY) == ("", "")


@pytest.mark.parametrize(
    "told, words",
    [
        (answer(), "missing"),
        (told_of(mint(TOKEN, NOW - 25 * DAY)), "third of its life"),
        (told_of("a.b.c"), "not signed with the pool's key"),
    ],
)
def test_why_a_token_is_renewed(told: Any, words: str) -> None:
    token, reason = renewed_token(told, TOKEN, NOW)
    assert words in reason and renewal_reason(token, TOKEN, NOW) == ""


SESSION = {"id": 1, "state": "active", "user": "anna", "locked": False, "remote": False}


@pytest.mark.parametrize(
    "allowed, state, sessions, words",
    [
        (True, "joined", [], ""),
        (True, "joined", [{**SESSION, "locked": True}], ""),
        (True, "joined", [{**SESSION, "state": "disconnected"}], ""),
        (True, "joined", [{**SESSION, "user": ""}], ""),
        (False, "joined", [], "not allowed"),
        (True, "busy", [], "owner may be there"),
        (True, "absent", [], "owner may be there"),
        (True, "idle-wait", [], "owner may be there"),
        (True, "disabled", [], "owner may be there"),
        (True, "joined", [SESSION], "sessions are in use"),
    ],
)
def test_who_may_be_restarted(allowed: bool, state: str, sessions: list[dict[str, Any]], words: str) -> None:
    told = answer(facts={"agent": {"state": state}, "sessions": sessions})
    why = may_reboot(told, allowed=allowed)
    assert (words in why) and bool(why) == bool(words)


def test_an_agent_that_tells_no_state_counts_as_somebody_there() -> None:
    assert may_reboot(answer(facts={}), allowed=True)
