# SPDX-License-Identifier: GPL-3.0-or-later
"""Pre-shared keys: read as pluto reads them, never told, and judged."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.comosix import weak
from eyrie.comosix.ipsec_secrets import PreSharedKey, parse
from eyrie.comosix.site import site
from eyrie.errors import EyrieError

FILE = b"""# keys of the nodes
10.77.0.1 10.77.0.2: PSK "hunter2 hunter2" # both
10.77.0.1 %any :
    PSK
\t'ab "c" # d'
: psk 0x0123_4567
@gate.example.org 10.77.0.3: PSK 0saGVsbG8=
: RSA {
    Modulus: 0x1
    }
include /etc/ipsec.d/*.secrets
"""


def test_keys_are_read_and_the_rest_is_named() -> None:
    found = parse(FILE, "x")
    assert [(each.ends, each.key, each.line) for each in found.keys] == [
        (("10.77.0.1", "10.77.0.2"), "hunter2 hunter2", 2),
        (("10.77.0.1", "%any"), 'ab "c" # d', 3),
        ((), "0x0123_4567", 6),
        (("@gate.example.org", "10.77.0.3"), "0saGVsbG8=", 7),
    ]
    assert [note.split(": ")[0] for note in found.notes] == ["x line 8", "x line 11"]
    assert [each.for_all for each in found.keys] == [False, False, True, False]


def test_a_text_that_looks_like_bytes_stays_what_it_is() -> None:
    (key,) = parse(b'a b : PSK "0x41"', "x").keys
    assert base64.b64decode(key.key.removeprefix("0s")) == b"0x41"


REFUSED = {
    "no colon": (b'a b PSK "hunter2"', "line 1: found 'no colon"),
    "no kind": (b"\na b :", "line 2: found 'nothing after the colon'"),
    "no word PSK": (b"a b : hunter2", "line 1: found 'another word after the colon'"),
    "a key before the colon": (b'a "hunter2" : PSK 0x41', "line 1: found 'quotes before the colon'"),
    "no key": (b"a b : PSK", "line 1: found 'no key'"),
    "an empty key": (b'a b : PSK ""', "line 1: found 'an empty key'"),
    "a key with blanks": (b"a b : PSK hunter2 hunter2", "line 1: found '2 words after PSK'"),
    "a key without quotes": (b"a b : PSK hunter2", "neither quoted nor 0x or 0s"),
    "no hex": (b"a b : PSK 0xhunter2", "neither quoted nor 0x or 0s"),
    "no base64": (b"a b : PSK 0s=hunter2", "neither quoted nor 0x or 0s"),
    "hex of nothing": (b"a b : PSK 0x", "neither quoted nor 0x or 0s"),
    "a quote that does not end": (b'a b : PSK "hunter2', "line 1: found 'a quote that does not end'"),
    "a sign beyond ASCII": (b'a b : PSK "hunter2\xe9"', "line 1: found"),
    "one pair twice": (b'a b : PSK "x"\nb a : PSK "y"', "line 2: key of b, a: found 'again, as in line 1'"),
}


@pytest.mark.parametrize(("text", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_key_is_refused_without_telling_it(text: bytes, told: str) -> None:
    with pytest.raises(EyrieError) as refused:
        parse(text, "x")
    assert told in str(refused.value)
    assert "hunter" not in str(refused.value)


SIGNS = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"'), min_size=1)
END = st.from_regex(r"[@%]?[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True)


@given(st.dictionaries(st.lists(END, max_size=3, unique=True).map(tuple), SIGNS))
def test_any_text_survives_between_quotes(keys: dict[tuple[str, ...], str]) -> None:
    pairs = {tuple(sorted(ends)): key for ends, key in keys.items()}
    text = "\n".join(f'{" ".join(ends)} : PSK "{key}" # don\'t'.lstrip() for ends, key in pairs.items())
    found = {each.ends: each.key for each in parse(text.encode(), "x").keys}
    plain = {
        ends: base64.b64decode(key[2:]).decode() if key.startswith("0s") and key != pairs[ends] else key
        for ends, key in found.items()
    }
    assert plain == pairs


@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = parse(data, "x")
    except EyrieError as error:
        assert str(error).startswith("x")
    else:
        assert all(each.key for each in found.keys)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("comosix", "a default"),
        ("CosMos!", "a default"),
        ("openmosix2006", "a default"),
        ("123456", "a default"),
        ("office-pool", "the pool's own name"),
        ("Office-Pool1", "the pool's own name"),
        ("aX9!kw", "shorter than 12"),
        ("abababababababab", "fewer than 5"),
        ("m2!vR8#qT5^wK1", ""),
    ],
)
def test_weak_passwords_are_known(value: str, why: str) -> None:
    told = weak.password(value, "office-pool")
    assert why in told and bool(told) == bool(why)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("0x00", "shorter than 16 bytes"),
        ("0x" + bytes(range(10)).hex(), "shorter than 16 bytes"),
        ("0x" + "00" * 32, "fewer than 5 different bytes"),
        ("0x" + bytes(range(16)).hex(), ""),
        ("0s" + base64.b64encode(bytes(range(15))).decode(), "shorter than 16 bytes"),
        ("secret", "a default"),
        ("m2!vR8#qT5^wK1u7", ""),
    ],
)
def test_weak_keys_are_known(value: str, why: str) -> None:
    assert why in weak.key(value) and bool(weak.key(value)) == bool(why)


def test_one_key_for_all_is_warned_of_and_no_warning_tells_a_key() -> None:
    keys = (PreSharedKey((), "m2!vR8#qT5^wK1u7", 1), PreSharedKey(("10.77.0.1", "%any"), "hunter2", 2))
    told = site([], "x", keys).warnings
    assert [text.split(":")[0] for text in told] == [
        "key of every other end (line 1)",
        "key of 10.77.0.1, %any (line 2)",
    ]
    assert "one key for all" in told[0] and "shorter than" in told[1]
    assert "hunter2" not in "".join(told) and "m2!" not in "".join(told)
