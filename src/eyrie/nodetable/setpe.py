# SPDX-License-Identifier: GPL-3.0-or-later
"""The judgement of the genuine setpe (openMosix tools 0.3.6) on a node table, for any bytes.

It is what `setpe -c -f MAP` says on a node whose kernel has no table yet. tests/unit/nodetable holds what the
genuine program answered to some hundred maps, and the generator that compares the two on any others.
"""

from __future__ import annotations

from dataclasses import dataclass

from eyrie.errors import EyrieError
from eyrie.nodetable.checks import fault_of
from eyrie.nodetable.names import Lookup, no_names
from eyrie.nodetable.scan import Fault, Refused, printable, rows
from eyrie.nodetable.table import numeric

SOURCE = "openmosix.map"


@dataclass(frozen=True)
class Verdict:
    """What setpe says; `reason` begins with its message and goes on with file, line and value."""

    accepted: bool
    reason: str = ""
    line: int | None = None
    value: str | None = None
    message: bytes = b""  # exactly what setpe writes to stderr
    status: int = 0  # its exit status


def judge(data: bytes, own: str | None = None, source: str = SOURCE, lookup: Lookup = no_names) -> Verdict:
    """Judge as setpe does on the node with the address `own`; None: on any node that is in the table."""
    own_address = _own(own)
    try:
        entries = rows(data, lookup)
    except Refused as refused:
        return refusal(refused.fault, source)
    fault = fault_of(entries, own_address)
    return refusal(fault, source) if fault else Verdict(True)


def _own(own: str | None) -> int | None:
    if own is None:
        return None
    try:
        return numeric(own)
    except ValueError:
        raise EyrieError("the own address", seen=own, wanted="an IPv4 address of four octets") from None


def refusal(fault: Fault, source: str) -> Verdict:
    """Put the genuine message and our file, line and value into one sentence."""
    line = fault.rows[0].line if fault.rows else fault.line
    value = fault.rows[0].value if fault.rows else fault.value
    words = printable(fault.message.removeprefix(b"setpe: ").replace(b"\n", b" "))
    details = [_place(source, row.line, row.value) for row in fault.rows]
    if line is not None and not fault.rows:
        details.append(_place(source, line, value))
    if not details:
        details.append(source)
    if fault.hint:
        details.append(fault.hint)
    return Verdict(False, f"{words} ({'; '.join(details)})", line, value, fault.message + b"\n", 102)


def _place(source: str, line: int, value: str | None) -> str:
    return f"{source} line {line}" + (f": {value}" if value is not None else "")
