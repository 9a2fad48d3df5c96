# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a node table, read byte for byte as setpe's fgets and sscanf read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from socket import inet_aton
from typing import NamedTuple

from eyrie.nodetable.names import Lookup, no_names, resolve
from eyrie.nodetable.table import MAX_ENTRIES

CHUNK = 511  # fgets into a buffer of 512: what is longer goes on as a line of its own
WORD = 0xFFFFFFFF
NOT_RESOLVED = "names are looked up only with --hosts or --resolve"
HIGHEST = 0x7FFFFFFF

# Possessive throughout, because sscanf never goes back: "12 3" is not "1 2 3". \s is the C locale's isspace.
_SPACE = rb"[ \t\n\v\f\r]*+"
_INT = _SPACE + rb"([+-]?+[0-9]++)"
_QUAD = _INT + rb"\." + _INT + rb"\." + _INT + rb"\." + _INT
_STRING = _SPACE + rb"([^ \t\n\v\f\r]++)"
# The four formats of setpe in its order; each takes what the ones before did not. That %10s cuts a long word
# off makes no difference to whether it is "alias".
_QUAD_COUNT = re.compile(_INT + _QUAD + _INT)  # "%d %d.%d.%d.%d %d"
_NAME_COUNT = re.compile(_INT + _STRING + _INT)  # "%d %s %d"
_QUAD_WORD = re.compile(_INT + _QUAD + _STRING)  # "%d %d.%d.%d.%d %10s"
_NAME_WORD = re.compile(_INT + _STRING + _STRING)  # "%d %s %10s"
# Means the same as the first format, and is read more quickly.
_OCTET = rb"(?:0|[1-9][0-9]{0,2})"
_USUAL = re.compile(rb"([0-9]{1,9})[ \t]++(" + rb"\.".join([_OCTET] * 4) + rb")[ \t]++([0-9]{1,9})(?![0-9])")
_WRITTEN = re.compile(_INT + _SPACE + rb"((?:[^ \t\n\v\f\r]++))")


class Row(NamedTuple):
    """An entry as setpe holds it: signed 32-bit numbers and an unsigned address."""

    first: int
    address: int
    nodes: int
    line: int
    text: bytes  # the whole line, for reasons
    alias: bool = False  # the word, not COUNT 0

    @property
    def value(self) -> str:
        """The line as a reason quotes it."""
        return printable(self.text.rstrip(b"\r\n"))


@dataclass(frozen=True)
class Fault:
    """Why setpe refuses a table: its message, the lines to look at and a word of ours."""

    message: bytes  # what the genuine program writes to stderr, without the newline at its end
    rows: tuple[Row, ...] = ()
    line: int | None = None
    value: str | None = None
    hint: str = ""


class Refused(Exception):
    """Ends the reading of a table at its first fault."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.message)


def printable(text: bytes) -> str:
    """Any bytes as text that a terminal can show; a backslash stays one."""
    decoded = text.decode("utf-8", "surrogateescape")
    return "".join(char if char.isprintable() else _escaped(char) for char in decoded)


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def rows(data: bytes, lookup: Lookup = no_names) -> list[Row]:
    """Every entry of a table; Refused at the first line that setpe cannot read."""
    entries: list[Row] = []
    for number, whole in enumerate(data.split(b"\n"), 1):
        row = _usual(whole, number)
        for entry in (row,) if row else (_unusual(text, number, lookup) for text in _lines(whole)):
            if len(entries) == MAX_ENTRIES:
                raise Refused(
                    Fault(b"setpe: Table Overflow", (entry,), hint=f"at most {MAX_ENTRIES}, aliases included")
                )
            entries.append(entry)
    return entries


def _lines(whole: bytes) -> Iterator[bytes]:
    """What setpe takes for lines of a line of the file, without comments and empty ones."""
    # A newline that does not fit into the buffer comes alone, which makes an empty line.
    for start in range(0, len(whole), CHUNK):
        text = whole[start : start + CHUNK].split(b"\0", 1)[0]
        if text and not text.startswith(b"#"):
            yield text


def _usual(text: bytes, number: int) -> Row | None:
    """A line of plain numbers, four plain octets and blanks, as nearly every line is."""
    match = _USUAL.match(text)
    if not match or len(text) >= CHUNK:
        return None
    first, octets, count = match.groups()
    try:
        return Row(int(first), int.from_bytes(inet_aton(octets.decode())), int(count), number, text)
    except OSError:  # an octet above 255
        return None


def _unusual(text: bytes, number: int, lookup: Lookup) -> Row:
    """Try setpe's four formats one after the other."""
    if match := _QUAD_COUNT.match(text):
        first, *octets, count = map(integer, match.groups())
        return Row(first, quad(octets), count, number, text)
    if match := _NAME_COUNT.match(text):
        name, count = match[2], integer(match[3])
    elif (match := _QUAD_WORD.match(text)) and match[6].lower() == b"alias":
        first, *octets = map(integer, match.groups()[:5])
        return Row(first, quad(octets), 0, number, text, True)
    elif (match := _NAME_WORD.match(text)) and match[3].lower() == b"alias":
        name, count = match[2], 0
    else:
        raise Refused(
            Fault(
                b"Bad Table Input: <" + text + b">",
                line=number,
                value=printable(text),
                hint="wanted NUMBER ADDRESS COUNT, or NUMBER ADDRESS alias",
            )
        )
    alias = match.re is _NAME_WORD
    return Row(integer(match[1]), _address(name, number, lookup), count, number, text, alias)


def _address(name: bytes, number: int, lookup: Lookup) -> int:
    address = resolve(name, lookup)
    if address is None:
        hint = NOT_RESOLVED if lookup is no_names else ""
        raise Refused(Fault(name + b": Unknown host", line=number, value=printable(name), hint=hint))
    return address


def integer(digits: bytes) -> int:
    """What %d makes of digits: a 32-bit number that stops at its ends."""
    return max(-HIGHEST - 1, min(HIGHEST, int(digits)))


def quad(octets: list[int]) -> int:
    """Put four numbers together as setpe does, which checks no octet: 300 and -1 spill over the others."""
    a, b, c, d = octets
    return (a << 24 | b << 16 | c << 8 | d) & WORD


def written_address(text: bytes) -> str:
    """The address as a line writes it."""
    match = _WRITTEN.match(text)
    return printable(match[2]) if match else ""
