# SPDX-License-Identifier: GPL-3.0-or-later
"""Node tables (openmosix.map): parse, judge, render, compare, plan.

>>> table = parse("1 10.77.0.1 254\\n")
>>> table.number_of("10.77.0.9")
9
>>> judge(b"0 10.77.0.3 1\\n").reason
"Table contains OpenMosix 'node-#0'! (openmosix.map line 1: 0 10.77.0.3 1; numbers begin with 1)"
"""

from eyrie.nodetable.compress import compress
from eyrie.nodetable.diff import Renumbered, TableDiff, diff, unified
from eyrie.nodetable.names import Lookup, hosts_lookup
from eyrie.nodetable.parse import parse
from eyrie.nodetable.plan import Effect, NumberPlan, plan
from eyrie.nodetable.setpe import Verdict, judge
from eyrie.nodetable.state import Numbered, State
from eyrie.nodetable.subnets import Subnet, read_subnets
from eyrie.nodetable.table import MAX_ENTRIES, MAX_NUMBER, Entry, Table, digest, render

__all__ = [
    "MAX_ENTRIES",
    "MAX_NUMBER",
    "Effect",
    "Entry",
    "Lookup",
    "NumberPlan",
    "Numbered",
    "Renumbered",
    "State",
    "Subnet",
    "Table",
    "TableDiff",
    "Verdict",
    "compress",
    "diff",
    "digest",
    "hosts_lookup",
    "judge",
    "parse",
    "plan",
    "read_subnets",
    "render",
    "unified",
]
