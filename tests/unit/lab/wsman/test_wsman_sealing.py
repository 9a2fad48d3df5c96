# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.lab.wsman import sealing

NASTY = b"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n--Encrypted Boundary--\r\n"


@given(st.binary(min_size=16, max_size=16), st.one_of(st.binary(max_size=200), st.just(NASTY)))
def test_any_ciphertext_comes_back(signature: bytes, sealed: bytes) -> None:
    body = sealing.pack(signature, sealed, len(sealed))
    assert sealing.unpack(body) == (signature, sealed)
    # Some clients write no tabs.
    head, tail = body.split(b"application/octet-stream\r\n", 1)
    assert sealing.unpack(head.replace(b"\t", b"") + b"application/octet-stream\r\n" + tail) == (
        signature,
        sealed,
    )


def test_is_what_clients_expect() -> None:
    body = sealing.pack(b"s" * 16, b"sealed", 6)
    assert body.startswith(
        b"--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
    )
    assert b"\r\n\tContent-Type: application/octet-stream\r\n\x10\0\0\0ssss" in body
    assert body.endswith(b"sealed--Encrypted Boundary--\r\n")


@given(
    st.lists(
        st.tuples(st.binary(max_size=20), st.one_of(st.binary(max_size=100), st.just(NASTY))), min_size=1
    )
)
def test_many_parts_come_back(parts: list[tuple[bytes, bytes]]) -> None:
    body = sealing.pack_all([(*part, 1) for part in parts], sealing.CREDSSP)
    for sent in (body, body.replace(b"\r\n\tContent-Type: app", b"\r\nContent-Type: app", 1)):
        assert sealing.unpack_all(sent) == parts


def test_names_what_has_many_parts() -> None:
    assert sealing.is_multi(sealing.content_type(sealing.CREDSSP, 2))
    assert sealing.is_sealed(sealing.content_type(sealing.CREDSSP, 2))
    assert not sealing.is_multi(sealing.content_type(sealing.CREDSSP, 1))


@pytest.mark.parametrize("body", [b"", NASTY, b"x" * 100, sealing.pack(b"s" * 16, b"", 0)[:-30]])
def test_refuses_what_is_cut_off(body: bytes) -> None:
    with pytest.raises(ValueError):
        sealing.unpack(body)


def test_knows_a_sealed_body() -> None:
    assert sealing.is_sealed(sealing.CONTENT_TYPE)
    assert not sealing.is_sealed("application/soap+xml;charset=UTF-8")
