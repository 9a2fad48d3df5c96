# SPDX-License-Identifier: GPL-3.0-or-later
"""Node tables (openmosix.map): parse, judge, render, compare, plan.

>>> table = parse("1 10.77.0.1 254\\n")
>>> table.number_of("10.77.0.9")
9
>>> judge(b"1 10.77.0.1 254\\n", own="10.78.0.1").reason
'the supplied table is well-formatted, but my IP address (10.78.0.1) is not there! (openmosix.map; no range holds it; an alias does not count)'
"""

from eyrie.nodetable.diff import Renumbered, TableDiff, diff, unified
from eyrie.nodetable.parse import parse
from eyrie.nodetable.setpe import Verdict, judge
from eyrie.nodetable.table import MAX_ENTRIES, MAX_NUMBER, Entry, Table, digest, render

__all__ = [
    "MAX_ENTRIES",
    "MAX_NUMBER",
    "Entry",
    "Renumbered",
    "Table",
    "TableDiff",
    "Verdict",
    "diff",
    "digest",
    "judge",
    "parse",
    "render",
    "unified",
]
