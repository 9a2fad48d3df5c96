# SPDX-License-Identifier: GPL-3.0-or-later
"""Models of the parsers that read a command line on Windows, written from their published rules."""

from __future__ import annotations

import re


class Active(Exception):
    """cmd.exe would have acted on a character instead of handing it on."""


def slash_c(given: str) -> str:
    """What `cmd /c` runs: `cmd /?` tells the rule."""
    if not given.startswith('"'):
        return given
    first, last = 0, given.rfind('"')
    if given.count('"') == 2 and not re.search(r"[&<>()@^|]", given) and re.search(r"\s", given[1:last]):
        raise Active("whether the quotes stay depends on which programs there are")
    return given[first + 1 : last] + given[last + 1 :]


def create_process(line: str) -> str:
    """What cmd.exe hands to CreateProcess for one command; fails where a character would have an effect."""
    handed, quoted, at = [], False, 0
    if re.search(r"%[^%]+%|%", line):
        raise Active("% starts a variable")
    if line[:1] in "@(:;,= \t":
        raise Active(f"{line[:1]} at the start of a command")
    while at < len(line):
        sign = line[at]
        if sign in "\r\n\0\x1a":
            raise Active(f"{sign!r} ends the line")
        if sign == '"':
            quoted = not quoted
        elif sign == "^" and not quoted:
            at += 1
            if at == len(line):
                raise Active("^ at the end asks for more")
            sign = line[at]
        elif sign in "&|<>()" and not quoted:
            raise Active(f"{sign} outside quotes")
        handed.append(sign)
        at += 1
    return "".join(handed)


def argv(line: str) -> list[str]:
    """CommandLineToArgvW, and the C runtime where the two agree."""
    if line.startswith('"'):
        end = line.index('"', 1)
        words, rest = [line[1:end]], line[end + 1 :]
        assert rest[:1] in ("", " ", "\t"), "a program's name that goes on after its quote"
    else:
        match = re.match(r"[^ \t]*", line)
        assert match
        words, rest = [match.group()], line[match.end() :]
    at = 0
    while True:
        while at < len(rest) and rest[at] in " \t":
            at += 1
        if at == len(rest):
            return words
        word, at = _word(rest, at)
        words.append(word)


def _word(text: str, at: int) -> tuple[str, int]:
    word, quoted = "", False
    while at < len(text) and (quoted or text[at] not in " \t"):
        slashes = 0
        while at < len(text) and text[at] == "\\":
            slashes, at = slashes + 1, at + 1
        if at < len(text) and text[at] == '"':
            word += "\\" * (slashes // 2)
            if slashes % 2:
                word += '"'
            else:
                quoted = not quoted
            at += 1
            continue
        word += "\\" * slashes
        if at < len(text) and (quoted or text[at] not in " \t"):
            word, at = word + text[at], at + 1
    return word, at
