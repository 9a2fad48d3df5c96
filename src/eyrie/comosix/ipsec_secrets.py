# SPDX-License-Identifier: GPL-3.0-or-later
"""Pre-shared keys from ipsec.secrets of FreeS/WAN, which CHAOS and CosMos nodes run.

Its manual is ipsec.secrets(5). An entry begins at the margin and goes on over indented lines: the two ends
it is for, a colon, PSK and the key, quoted or as 0x (hex) or 0s (base64). No error quotes anything of a key.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from eyrie.errors import EyrieError
from eyrie.guests.colinux.text import strange
from eyrie.inventory.importer import ListError

_TOKEN = re.compile(r"\"([^\"]*)\"|'([^']*)'|(:)(?=\s|$)|([^\s\"']+?)(?=:?(?:\s|$))|(\S)")
_PIECE = re.compile(r"\"[^\"]*\"|'[^']*'|(?P<comment>(?:^|(?<=\s))#.*)|.")


_KINDS = ("psk", "rsa", "pin", "xauth", "ecdsa", "dsa", "pkcs12", "ntlm", "eap")


@dataclass(frozen=True)
class PreSharedKey:
    """A key and the ends it is for; none: for every end that has no key of its own."""

    ends: tuple[str, ...]
    key: str
    """Its text; 0x and hex digits or 0s and base64 stand for bytes."""

    line: int = 0

    @property
    def name(self) -> str:
        """Whose key it is."""
        return ", ".join(self.ends) or "every other end"

    @property
    def for_all(self) -> bool:
        """Whether it is the key of whoever asks."""
        return not self.ends or set(self.ends) <= {"%any", "0.0.0.0"}  # noqa: S104 - FreeS/WAN's word for any end


@dataclass(frozen=True)
class Secrets:
    """What a file holds."""

    keys: tuple[PreSharedKey, ...]
    notes: tuple[str, ...]
    """What of it was left out."""


def parse(data: bytes, source: str) -> Secrets:
    """Read a file; raises ListError with all faults, each with its line."""
    keys: list[PreSharedKey] = []
    notes: list[str] = []
    faults: list[EyrieError] = []
    for number, text in _entries(data.decode("latin-1")):
        where = f"{source} line {number}"
        try:
            tokens = list(_tokens(text, where))
            if tokens[0] == (False, "include"):
                notes.append(f"{where}: include: not followed; import that file by itself")
            elif (kind := _kind(tokens, where)) == "psk":
                keys.append(_key(tokens, number, where, keys))
            else:
                notes.append(f"{where}: a secret of kind {kind.upper()}: only PSK is taken")
        except EyrieError as error:
            faults.append(error)
    if faults:
        raise ListError(source, faults)
    return Secrets(tuple(keys), tuple(notes))


def _entries(text: str) -> Iterator[tuple[int, str]]:
    """Yield each entry in one line, with the number of its first."""
    first, held = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        bare = "".join(match[0] for match in _PIECE.finditer(line) if not match["comment"]).rstrip()
        if not bare.strip():
            continue
        if held and line[0] in " \t":
            held += " " + bare.strip()
            continue
        if held:
            yield first, held
        first, held = number, bare.strip()
    if held:
        yield first, held


def _tokens(text: str, where: str) -> Iterator[tuple[bool, str]]:
    """Yield words, each with whether it was quoted."""
    if strange(text.replace("\t", " ")):
        raise EyrieError(where, seen="a sign beyond ASCII", wanted="ASCII")
    for match in _TOKEN.finditer(text):
        double, single, colon, word, other = match.groups()
        if other is not None:
            raise EyrieError(where, seen="a quote that does not end", wanted="a key between quotes")
        if double is not None or single is not None:
            yield True, double if double is not None else single
        else:
            yield False, colon or word


def _kind(tokens: list[tuple[bool, str]], where: str) -> str:
    colon = _colon(tokens, where)
    if colon + 1 >= len(tokens) or tokens[colon + 1][0]:
        raise EyrieError(where, seen="nothing after the colon", wanted="PSK and a key")
    kind = tokens[colon + 1][1].lower()
    if kind not in _KINDS:  # perhaps a key whose PSK was forgotten
        raise EyrieError(
            where, seen="another word after the colon", wanted=f"one of {', '.join(_KINDS).upper()}"
        )
    return kind


def _colon(tokens: list[tuple[bool, str]], where: str) -> int:
    if (False, ":") not in tokens:
        raise EyrieError(where, seen="no colon with a blank after it", wanted='such as A B : PSK "..."')
    return tokens.index((False, ":"))


def _key(tokens: list[tuple[bool, str]], line: int, where: str, before: list[PreSharedKey]) -> PreSharedKey:
    colon = _colon(tokens, where)
    ends = tuple(word for _, word in tokens[:colon])
    if any(quoted for quoted, _ in tokens[:colon]):
        raise EyrieError(where, seen="quotes before the colon", wanted="the two ends there, the key after it")
    rest = tokens[colon + 2 :]
    if len(rest) != 1:
        seen = "no key" if not rest else f"{len(rest)} words after PSK"
        raise EyrieError(where, seen=seen, wanted="one, between quotes if there are blanks in it")
    quoted, key = rest[0]
    if not key:
        raise EyrieError(where, seen="an empty key", wanted="a key")
    if not quoted:
        _check_encoded(key, where)
    elif re.match(r"0[xs]", key):  # else it would be taken for bytes
        key = "0s" + base64.b64encode(key.encode("ascii")).decode("ascii")
    found = PreSharedKey(ends, key, line)
    double = next((each.line for each in before if sorted(each.ends) == sorted(ends)), None)
    if double is not None:
        raise EyrieError(
            f"{where}: key of {found.name}", seen=f"again, as in line {double}", wanted="one key a pair"
        )
    return found


def _check_encoded(key: str, where: str) -> None:
    try:
        if key.startswith("0x"):
            plain = bytes.fromhex(key[2:].replace("_", ""))
        elif key.startswith("0s"):
            plain = base64.b64decode(key[2:], validate=True)
        else:
            raise ValueError
        if not plain:
            raise ValueError
    except (ValueError, binascii.Error):
        raise EyrieError(
            where, seen="a key that is neither quoted nor 0x or 0s", wanted='"...", 0x and hex, 0s and base64'
        ) from None
