# SPDX-License-Identifier: GPL-3.0-or-later
"""Files like comosix.ini, as Windows reads an .ini file: names in any case, no quotes around a value.

Nothing of a value is ever quoted in an error: which key holds a password is not known before it is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eyrie.errors import EyrieError
from eyrie.guests.colinux.text import strange
from eyrie.inventory.importer import ListError

_BOM = b"\xef\xbb\xbf"
_SECTION = re.compile(r"\[([^\[\]]+)\]")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")


@dataclass(frozen=True)
class Entry:
    """One line `key=value`; the names in small letters."""

    section: str
    key: str
    value: str
    line: int

    @property
    def name(self) -> str:
        """What the entry is called."""
        return f"{self.section}.{self.key}"


def parse(data: bytes, source: str) -> tuple[Entry, ...]:
    """Read every entry; raises ListError with all faults, each with its line."""
    entries: list[Entry] = []
    faults: list[EyrieError] = []
    sections: dict[str, int] = {}
    section = ""
    for number, line in _lines(data):
        where = f"{source} line {number}"
        if strange(line):
            seen = "a sign beyond ASCII"
            faults.append(
                EyrieError(where, seen=seen, wanted="ASCII, apart from comments", next_step="write it so")
            )
        elif match := _SECTION.fullmatch(line):
            section = match[1].strip().lower()
            if section in sections:
                seen = f"[{section}] again, as in line {sections[section]}"
                faults.append(EyrieError(where, seen=seen, wanted="each section once"))
            sections.setdefault(section, number)
        elif line.startswith("["):
            faults.append(EyrieError(where, seen="a bracket that is no section", wanted="such as [comosix]"))
        else:
            try:
                entries.append(_entry(section, line, number, where, entries))
            except EyrieError as error:
                faults.append(error)
    if faults:
        raise ListError(source, faults)
    if not entries:
        raise EyrieError(source, seen="no key", wanted="sections with key=value")
    return tuple(entries)


def _lines(data: bytes) -> list[tuple[int, str]]:
    """Return what is neither empty nor a comment, without blanks around it."""
    text = data.removeprefix(_BOM).decode("latin-1")
    lines = [(number, line.strip(" \t\r")) for number, line in enumerate(text.split("\n"), 1)]
    return [(number, line) for number, line in lines if line and line[0] not in ";#"]


def _entry(section: str, line: str, number: int, where: str, before: list[Entry]) -> Entry:
    key, equals, value = line.partition("=")
    key = key.strip().lower()
    if not equals or not key:
        raise EyrieError(where, seen="neither a section nor key=value", wanted="one of them, or a comment")
    if not section:
        raise EyrieError(f"{where}: {key}", seen="no section yet", wanted="a section before it")
    first = next((each.line for each in before if (each.section, each.key) == (section, key)), None)
    if first is not None:
        raise EyrieError(
            f"{where}: {section}.{key}", seen=f"again, as in line {first}", wanted="each key once"
        )
    value = value.strip()
    if match := _QUOTED.fullmatch(value):
        value = match[1] if match[1] is not None else match[2]
    return Entry(section, key, value, number)
