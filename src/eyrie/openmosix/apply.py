# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts that change a node's table, and those that wait for it to work. They decide nothing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from eyrie.openmosix.change import Step
from eyrie.openmosix.read import SEARCH_PATH, read_script

if TYPE_CHECKING:
    from collections.abc import Iterable

MAP = "/etc/openmosix.map"
REFUSED = 102

# The table comes on standard input, as nothing else brings bytes of any kind onto these nodes. The node's own
# setpe judges it before anything changes; the file is replaced last, in one step, so that a node that loses
# its power boots with either table and never with half of one.
_APPLY = """umask 022
f={map}
fail() {{ echo "$1" >&2; rm -f $f.new; exit $2; }}
cat > $f.new || fail "cannot write $f.new" 1
[ "`md5sum $f.new | cut -c1-32`" = {md5} ] || fail "what arrived in $f.new is not what was sent" 1
m=`setpe -c -f $f.new 2>&1` || fail "$m" {refused}
{setpe}sync
if [ -f $f ]; then cp $f $f.old; fi
mv $f.new $f || fail "cannot replace $f" 1
sync
"""
_WRITE = 'm=`setpe -w -f $f.new 2>&1` || fail "$m" {refused}\n'
# A refused -W may leave openMosix off.
_RESTART = """m=`setpe -W -f $f.new 2>&1` || {{
[ -f $f ] && setpe -W -f $f >/dev/null 2>&1
fail "$m" {refused}
}}
"""
_WAIT_UP = """cd /proc/hpc/nodes 2>/dev/null && {{
l=`for n in {peers}; do echo $n/status; done`
i=0
while [ $i -lt {ticks} ] && grep '^[01]$' $l /dev/null >/dev/null 2>&1; do
usleep 250000 2>/dev/null || sleep 1
i=$((i+1))
done
}}
"""
# The kernel keeps the switches of a drained node while it is off: one that joins again would stay closed.
OFF = f"""{SEARCH_PATH}
setpe -off && rm -f {MAP} {MAP}.old {MAP}.new && sync || exit 1
mosctl noblock >/dev/null; mosctl nolstay >/dev/null; exit 0
"""


def apply_script(step: Step, text: bytes, wait: str) -> str:
    """Return the script that takes a table on standard input, applies it, waits, and reads the node."""
    setpe = {Step.FILE: "", Step.WRITE: _WRITE, Step.RESTART: _RESTART}[step].format(refused=REFUSED)
    md5 = hashlib.md5(text, usedforsecurity=False).hexdigest()
    return f"{SEARCH_PATH}\n{_APPLY.format(map=MAP, md5=md5, refused=REFUSED, setpe=setpe)}{wait}"


def read_when_up(peers: Iterable[int], wait_seconds: int, wanted: Iterable[int] = ()) -> str:
    """Return the script that reads a node as soon as these peers are up, or the time is over."""
    numbers = " ".join(map(str, sorted(peers)))
    wait = _WAIT_UP.format(peers=numbers, ticks=wait_seconds * 4) if numbers and wait_seconds else ""
    return f"{SEARCH_PATH}\n{wait}{read_script(sorted(wanted))}"
