# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens recorded from condor_token_create of HTCondor 23.9.6, with a key made for this test."""

from __future__ import annotations

import dataclasses
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.engines.tokens import (
    Revocation,
    WantedToken,
    decode,
    renewal_reason,
    revocation_expression,
    revocations,
)
from eyrie.errors import EyrieError

KEY = "RecordedForTestsOnlyNotTheKeyOfAnyPool"
ISSUED = 1795260782
DAY = 86400
RECORDED = (
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IlBPT0wifQ.eyJleHAiOjE3OTc4NTI3ODIsImlhdCI6MTc5NTI2MDc4MiwiaXNzIjoibGFiIiwianRpI"
    "joiMTk1ZDc5ODc3ZWM4MjkwMWZhOTQ0YTljYTU0NTRiNzYiLCJzY29wZSI6ImNvbmRvcjpcL0FEVkVSVElTRV9TVEFSVEQiLCJzdWIiOiJkZX"
    "NrdG9wLWRlc2stMUBsYWIifQ.hcWKFSweospf_nAUU26c4phu_Q4pvwDkSDseuX3sO8s\n"
)
ENDLESS = (
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IlBPT0wifQ.eyJpYXQiOjE3OTUyNjA3ODIsImlzcyI6ImxhYiIsImp0aSI6Ijk3N2Q2YjRhYzRjMGEyYz"
    "E4Zjg5YmI4ZGMwM2FjYzI4Iiwic3ViIjoiZGVza3RvcC1kZXNrLTFAbGFiIn0.Nwn4imaIC71wJM6m539vjM1OtVdOE9TJbRuS8o3zWbU"
)
WANTED = WantedToken(
    issuer="lab",
    identity="desktop-desk-1@lab",
    scopes=frozenset({"ADVERTISE_STARTD"}),
    lifetime_seconds=30 * DAY,
    signing_key=KEY,
)


def wanted(**changes: object) -> WantedToken:
    return dataclasses.replace(WANTED, **changes)  # type: ignore[arg-type]


def test_recorded_token_is_good() -> None:
    assert renewal_reason(RECORDED, WANTED, ISSUED + DAY) == ""


@pytest.mark.parametrize("days, renewed", [(0, False), (19.99, False), (20.01, True), (31, True)])
def test_token_is_renewed_when_a_third_of_its_life_is_left(days: float, renewed: bool) -> None:
    assert bool(renewal_reason(RECORDED, WANTED, ISSUED + days * DAY)) is renewed


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"issuer": "office"}, "token was issued by pool 'lab'"),
        ({"identity": "desktop-desk-2@lab"}, "token belongs to 'desktop-desk-1@lab'"),
        ({"scopes": frozenset({"READ"})}, "token allows something else"),
        ({"scopes": frozenset()}, "token allows something else"),
        ({"signing_key": KEY + "x"}, "token was signed with another key"),
        ({"signing_key": ""}, "token was signed with another key"),
        ({"lifetime_seconds": 7 * DAY}, "token has another lifetime"),
        ({"revocations": (Revocation("desk-1"),)}, "token is revoked"),
        ({"revocations": (Revocation("desk-1", ISSUED + 1),)}, "token is revoked"),
        ({"revocations": (Revocation("desk-1", ISSUED),)}, ""),
        ({"revocations": (Revocation("desk-11"), Revocation("desk"))}, ""),
    ],
)
def test_token_is_compared_with_what_is_wanted(changes: dict[str, object], reason: str) -> None:
    assert renewal_reason(RECORDED, wanted(**changes), ISSUED + DAY) == reason


def test_token_from_a_clock_that_was_ahead_is_renewed() -> None:
    assert renewal_reason(RECORDED, WANTED, ISSUED - DAY) == "token was issued in the future"


def test_token_without_end_or_limit_is_renewed() -> None:
    assert renewal_reason(ENDLESS, WANTED, ISSUED) == "token allows something else"
    assert renewal_reason(ENDLESS, wanted(scopes=frozenset()), ISSUED) == "token has no end"


@pytest.mark.parametrize("text", ["", " \n"])
def test_missing_token(text: str) -> None:
    assert renewal_reason(text, WANTED, ISSUED) == "token is missing"


def test_claims_changed_by_hand_are_found_by_the_signature() -> None:
    header, claims, signature = RECORDED.strip().split(".")
    forged = json.loads(json.dumps(dict(decode(RECORDED).claims)))  # type: ignore[union-attr]
    forged["exp"] += 1
    text = urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
    assert claims != text
    assert (
        renewal_reason(f"{header}.{text}.{signature}", WANTED, ISSUED) == "token was signed with another key"
    )


@given(st.text())
def test_no_text_is_taken_for_a_token_or_stops_the_run(text: str) -> None:
    assert renewal_reason(text, WANTED, ISSUED) != ""


@given(st.integers(0, len(RECORDED) - 2), st.characters(codec="ascii"))
def test_a_changed_character_never_passes_unless_it_decodes_alike(place: int, character: str) -> None:
    text = RECORDED[:place] + character + RECORDED[place + 1 :]
    if decode(text) != decode(RECORDED):
        assert renewal_reason(text, WANTED, ISSUED + DAY) != ""


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-21T10:00:00Z",
        "2026-11-21 11:00:00+01:00",
        datetime(2026, 11, 21, 10, tzinfo=UTC),
        "2026-11-21T10:00",
    ],
)
def test_moments_as_yaml_gives_them(value: object) -> None:
    assert revocations([{"desktop": "desk-2", "issued_before": value}]) == (Revocation("desk-2", 1795255200),)


def test_no_moment_revokes_for_good() -> None:
    assert revocations([{"desktop": "desk-2"}]) == (Revocation("desk-2", None),)


def test_a_moment_nobody_can_read_is_named() -> None:
    with pytest.raises(EyrieError, match=r"desk-2, issued_before: found 'yesterday', wanted a date and time"):
        revocations([{"desktop": "desk-2", "issued_before": "yesterday"}])


def test_revocations_as_htcondor_reads_them() -> None:
    assert revocation_expression([], "lab") == "false"
    assert revocation_expression([Revocation("a"), Revocation("b", 7)], "lab") == (
        '(sub =?= "desktop-a@lab") || (sub =?= "desktop-b@lab" && iat < 7)'
    )
