# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_engine_tokens import ISSUED, RECORDED, WANTED

from eyrie.engines.minting import mint, proven
from eyrie.engines.tokens import decode, renewal_reason


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_minted_token_says_what_htcondors_own_says() -> None:
    """The recorded one is of condor_token_create: same header and claims, down to the types."""
    recorded = decode(RECORDED)
    assert recorded is not None
    made = decode(mint(WANTED, ISSUED, lambda: str(recorded.claims["jti"])))
    assert made is not None
    assert (made.header, made.claims) == (recorded.header, recorded.claims)


def test_the_signature_is_htcondors_own() -> None:
    assert proven(RECORDED.strip().rpartition(".")[0], sha256(RECORDED.strip()), WANTED) == RECORDED.strip()


@given(st.floats(0, 4e9), st.sets(st.sampled_from(["ADVERTISE_STARTD", "READ", "WRITE"]), min_size=1))
def test_what_is_minted_is_not_renewed(now: float, scopes: set[str]) -> None:
    wanted = replace(WANTED, scopes=frozenset(scopes))
    token = mint(wanted, now)
    assert renewal_reason(token, wanted, now + 1) == ""
    assert proven(token.rpartition(".")[0], sha256(token), wanted) == token


def test_two_tokens_differ() -> None:
    assert mint(WANTED, ISSUED) != mint(WANTED, ISSUED)


@pytest.mark.parametrize(
    "signed, digest, key",
    [
        ("", sha256(""), ""),
        ("x.y", "0" * 64, ""),
        ("ü.y", "0" * 64, ""),
        (RECORDED.strip().rpartition(".")[0], sha256(RECORDED.strip()), "another key of another pool"),
        (RECORDED.strip().rpartition(".")[0], sha256(RECORDED), ""),
    ],
)
def test_what_proves_nothing(signed: str, digest: str, key: str) -> None:
    assert proven(signed, digest, replace(WANTED, signing_key=key or WANTED.signing_key)) == ""
