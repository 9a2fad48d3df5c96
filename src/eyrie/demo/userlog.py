# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse HTCondor's job event log (the "user log"): the one record that survives whatever happens to a job."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from eyrie.errors import EyrieError

SUBMIT, EXECUTE, EVICTED, TERMINATED = 0, 1, 4, 5
SHADOW_EXCEPTION, ABORTED, HELD, RELEASED = 7, 9, 12, 13
REMOTE_ERROR, RECONNECT_FAILED = 21, 24

_HEAD = re.compile(
    r"(?P<kind>\d{3}) \((?P<cluster>\d+)\.(?P<proc>\d+)\.\d+\) "
    r"(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|[+-]\d\d:?\d\d)? ?(?P<text>.*)"
)
_DESKTOP = re.compile(r'^\s*EyrieDesktop = "([^"]+)"$', re.MULTILINE)
_SLOT = re.compile(r"^\s*SlotName: [^@\s]+@([^@\s]+)", re.MULTILINE)
_RETURN = re.compile(r"termination \(return value (-?\d+)\)")
_SIGNAL = re.compile(r"termination \(signal (\d+)\)")
_HOLD_CODE = re.compile(r"^\s*Code (\d+) Subcode (-?\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Event:
    """One event: `text` is the rest of its first line, `body` the indented lines below."""

    kind: int
    proc: int
    when: datetime
    text: str
    body: str

    @property
    def desktop(self) -> str:
        """The desktop of an execute event: the attribute asked for, else the slot's machine."""
        # Guests behind user networking all have one address, so the slot's name need not tell them apart.
        named = _DESKTOP.search(self.body) or _SLOT.search(self.body)
        return named[1] if named else "unknown"

    @property
    def exit_status(self) -> int | None:
        """Exit status of the program, 128 + the signal that killed it, or None if it did not end."""
        ended = _RETURN.search(self.body)
        if ended:
            return int(ended[1])
        killed = _SIGNAL.search(self.body)
        return 128 + int(killed[1]) if killed else None

    @property
    def hold_code(self) -> tuple[int, int]:
        """HoldReasonCode and HoldReasonSubCode of a held event, (0, 0) if the log gives none."""
        code = _HOLD_CODE.search(self.body)
        return (int(code[1]), int(code[2])) if code else (0, 0)

    @property
    def reason(self) -> str:
        """The first line below the head: why a job was held, aborted or lost."""
        return next((line.strip() for line in self.body.splitlines() if line.strip()), "")


def parse(log: str) -> list[Event]:
    """The complete events of a log; the last one, still being written, is left for the next reading."""
    events = []
    lines: list[str] = []
    for line in log.split(
        "\n"
    ):  # not splitlines(): a program's words in the log may hold any other separator
        if line.rstrip("\r") == "...":
            events.append(_event(lines))
            lines = []
        else:
            lines.append(line.rstrip("\r"))
    return events


def _event(lines: list[str]) -> Event:
    first = lines[0] if lines else ""
    head = _HEAD.fullmatch(first)
    if not head:
        raise EyrieError(
            "job event log",
            seen=first,
            wanted="an event such as '001 (7.0.0) 2026-01-31 12:00:00 Job executing on host: ...'",
            next_step="set DEFAULT_USERLOG_FORMAT_OPTIONS = ISO_DATE on the master",
        )
    return Event(
        kind=int(head["kind"]),
        proc=int(head["proc"]),
        when=datetime.fromisoformat(head["time"]),
        text=head["text"],
        body="\n".join(lines[1:]),
    )
