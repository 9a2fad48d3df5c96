# SPDX-License-Identifier: GPL-3.0-or-later
"""The line protocol between guest and agent. What the guest says is untrusted: jobs run there."""

from __future__ import annotations

import re

from eyrie.guests.backend import Message

PORT_NAME = "org.eyrie.agent"
LONGEST_LINE = 512
STATES = ("booting", "engine-starting", "joined", "vacating", "vacated", "leaving")
REFUSALS = ("token", "manager", "config", "image")
_MOST_WAITING = 1000  # messages kept from one feed; a guest that floods loses its own words
_PRINTABLE = re.compile(rb"[ -~]*")


class LineParser:
    """Turns the bytes of the channel into messages, whatever they are and however they are cut."""

    def __init__(self) -> None:
        self._buffer = b""
        self._skipping = False  # inside a line that is too long: drop it up to its end

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages completed by `data`."""
        messages: list[Message] = []
        *lines, rest = (self._buffer + data).split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif len(messages) < _MOST_WAITING:
                messages.append(parse_line(line))
        if len(rest) > LONGEST_LINE:
            if not self._skipping:
                messages.append(_invalid(rest))
            self._skipping, rest = True, b""
        self._buffer = rest
        return messages


def parse_line(line: bytes) -> Message:
    """Parse one line without its end; anything unexpected becomes an `invalid` message."""
    line = line[:-1] if line.endswith(b"\r") else line
    if len(line) > LONGEST_LINE or not _PRINTABLE.fullmatch(line):
        return _invalid(line)
    words = tuple(line.decode("ascii").split())
    if words and _is_known(words[0], words[1:]):
        return Message(words[0], words[1:])
    return _invalid(line)


def vacate_line(seconds: int) -> bytes:
    """Ask the guest to hand its jobs back and power off."""
    return b"vacate %d\n" % seconds


def _is_known(kind: str, words: tuple[str, ...]) -> bool:
    if kind == "hello":
        return words == ("1",)
    if kind == "state":
        return len(words) == 1 and words[0] in STATES
    if kind == "refused":
        return len(words) >= 1 and words[0] in REFUSALS
    return kind == "jobs" and len(words) == 1 and words[0].isdigit() and len(words[0]) <= 6


def _invalid(line: bytes) -> Message:
    """Keep a harmless piece of the line for the log."""
    return Message("invalid", (line[:80].decode("ascii", "backslashreplace"),))
