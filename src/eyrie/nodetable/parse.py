# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a node table: whatever setpe takes, and nothing else."""

from __future__ import annotations

from eyrie.errors import EyrieError
from eyrie.nodetable.checks import fault_of
from eyrie.nodetable.names import Lookup, no_names
from eyrie.nodetable.scan import Refused, Row, rows
from eyrie.nodetable.setpe import SOURCE, Verdict, refusal
from eyrie.nodetable.table import Entry, Table, dotted


def parse(text: str | bytes, source: str = SOURCE, lookup: Lookup = no_names) -> Table:
    """The table of a map; EyrieError with file, line and value for one that setpe refuses on every node."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    try:
        entries = rows(data, lookup)
    except Refused as refused:
        raise _error(refusal(refused.fault, source)) from None
    if fault := fault_of(entries, None):
        raise _error(refusal(fault, source))
    return Table(tuple(map(_entry, entries)))


def _entry(row: Row) -> Entry:
    zero = not row.nodes and not row.alias
    return Entry(row.first, dotted(row.address), row.nodes, not row.nodes, row.line, row.text, zero)


def _error(verdict: Verdict) -> EyrieError:
    return EyrieError(verdict.reason)
