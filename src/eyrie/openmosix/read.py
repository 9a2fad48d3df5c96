# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a node: one script for the shell of 2004, and the parser of what it prints."""

from __future__ import annotations

import hashlib
import shlex
from collections import defaultdict
from typing import TYPE_CHECKING

from eyrie.errors import EyrieError
from eyrie.nodetable.table import Entry, Table
from eyrie.openmosix.facts import Away, Guest, NodeFacts, Peer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SEARCH_PATH = "PATH=/sbin:/usr/sbin:/usr/local/sbin:/bin:/usr/bin:/usr/local/bin; export PATH"

# BusyBox v1.00-pre10: no awk, no tr, no `command -v`, no `grep -E`. Its `read` takes single bytes, which the
# files of /proc/hpc do not serve, and each program started costs 10 ms: so one grep reads many files. Of a
# process that is away only `where` may be read: anything else is asked of the node that runs it, and hangs if
# that one is dead. Each file of a peer that is down keeps its reader waiting for 0.12 s: so eight are read by
# one grep, all greps at once, and of a table with thousands of nodes only the peers asked for. Peers that are
# plainly down are not told. Its sed adds no missing last line end.
READ_SCRIPT = (
    SEARCH_PATH
    + r"""
echo eyrie-node=1
echo "release=`uname -r`"
echo "build=`uname -v`"
echo "name=`hostname`"
if cd /proc/hpc/admin 2>/dev/null; then
grep '' version mospe block lstay 2>/dev/null | sed 's/^/admin=/'
{ showmap 2>/dev/null || setpe -r 2>/dev/null; } | sed 's/^/table=/'
cd /proc/hpc/nodes; set -- ${peers:-*}
if [ $# -gt 1000 ] && [ -z "$peers" ]; then set -- `cat ../admin/mospe`; fi
s=`while [ $# -gt 0 ]; do
f=; for n in 1 2 3 4 5 6 7 8; do [ "$1" ] && f="$f $1/status" && shift; done
grep '' $f /dev/null &
done 2>/dev/null; wait`
s=`echo "$s" | sed -n '/status:1$/d; /:-101$/d; /:/p'`
echo "$s" | sed -n 's/^./peer=&/p'
set -- `echo "$s" | sed 's,/.*,,'`
if [ $# -gt 0 ] && [ $# -le 300 ]; then
grep '' `for n; do echo $n/load $n/speed; done` /dev/null 2>/dev/null | sed '/:-101$/d; s/^/peer=/'
fi
cd /proc/hpc/remote; grep '' */from */identity /dev/null 2>/dev/null | sed 's/^/guest=/'
cd /proc; w=`grep '' [0-9]*/where 2>/dev/null`
echo "$w" | sed -n '/:0$/d; s/^/away=/p'
cat /dev/null `echo "$w" | sed -n 's,/where:0$,/stat,p'` 2>/dev/null |
cut -d' ' -f2 | sort | uniq | sed 's/^/process=/'
fi
for d in /sbin /usr/sbin /usr/local/sbin /bin /usr/bin /usr/local/bin; do
for t in setpe mosctl mosrun migrate; do [ -x $d/$t ] && f="$f $d/$t"; done
done
[ "$f" ] && md5sum $f | sed 's/^/tool=/'
[ -f /etc/openmosix.tools ] && sed 's/^/tools=/' /etc/openmosix.tools && echo
if [ -d /etc/rc.d/rc3.d ]; then d=/etc/rc.d; else d=/etc; fi
if [ -d $d/rc3.d ]; then echo run_levels=$d; fi
for f in $d/rc[0-6].d/[SK]??openmosix; do if [ -f $f ] || [ -h $f ]; then echo link=${f#$d/}; fi; done
[ -f /etc/init.d/openmosix ] && md5sum /etc/init.d/openmosix | sed 's/^/init_md5=/'
if f=`iptables -L INPUT -n 2>/dev/null`; then
case $f in *openmosix*) echo firewall=open;; *) echo firewall=closed;; esac
fi
sed 's/^/hosts=/' /etc/hosts 2>/dev/null; echo
[ -f /etc/openmosix.map.old ] && echo map_old=1
if [ -f /etc/openmosix.map ]; then
md5sum /etc/openmosix.map | sed 's/^/map_md5=/'
sed 's/^/map=/' /etc/openmosix.map; echo
fi
echo eyrie-end=1
"""
)


def pinned(script: str) -> str:
    """Return the script for a shell that stays on its node, with all that it starts.

    The kernel would move it to an idle node as it does any process, and there it would hang if that one died.
    A shell cannot lock itself (2.4.26-om refuses to write to /proc/self/lock), mosrun can.
    """
    return (
        f"{SEARCH_PATH}\nl='mosrun -h -L'\n$l true </dev/null >/dev/null 2>&1 || l=\n"
        f"exec $l /bin/sh -c {shlex.quote(script)}"
    )


def read_script(peers: Iterable[int] = ()) -> str:
    """Return the script that reads a node, and the status of these peers; else of all of a small table."""
    return f"peers='{' '.join(map(str, peers))}'\n{READ_SCRIPT}"


DETAILED = 300
"""So many peers are told one by one; of more, only which are up."""
DAEMONS = frozenset({"omdiscd", "tyd", "certaintyd"})
"""They find peers by themselves and rewrite the node's table."""


def parse(output: str) -> NodeFacts:
    """Turn what READ_SCRIPT printed into facts; a torn or foreign answer is refused."""
    lines = output.replace("\r\n", "\n").split("\n")
    values: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        key, _, value = line.partition("=")
        values[key].append(value)
    if "eyrie-node" not in values or "eyrie-end" not in values:
        raise EyrieError(
            "the answer of the node",
            seen=output[-200:],
            wanted="everything from eyrie-node=1 to eyrie-end=1",
            next_step="log in by hand; its shell or its connection cuts answers short",
        )
    admin = _pairs(values["admin"])
    peers = _peers(_pairs(values["peer"]))
    return NodeFacts(
        release=_last(values, "release"),
        build=_last(values, "build"),
        openmosix=admin.get("version", ""),
        tools=_tools(values),
        number=_number(admin.get("mospe", "")),
        own_address=_own_address(_last(values, "name"), values["hosts"]),
        table=kernel_table(values["table"], values["hosts"]),
        map_text="".join(f"{line}\n" for line in values["map"]) if "map_md5" in values else None,
        map_md5=_last(values, "map_md5").split(" ")[0] or None,
        up=frozenset(peer.number for peer in peers if peer.up),
        peers=peers if len(peers) <= DETAILED else (),
        guests=_guests(values["guest"]),
        away=tuple(
            Away(_number(pid), _number(node))
            for path, node in _pairs(values["away"]).items()
            if (pid := path.removesuffix("/where")) and node
        ),
        blocked=admin.get("block", "0") != "0",
        staying=admin.get("lstay", "0") != "0",
        init_md5=_last(values, "init_md5").split(" ")[0] or None,
        run_levels=_last(values, "run_levels") or None,
        links=tuple(sorted(values["link"])),
        firewall=_last(values, "firewall") or "none",
        map_old=_last(values, "map_old") == "1",
        daemons=tuple(sorted(DAEMONS & {name.strip("()") for name in values["process"]})),
    )


def _pairs(lines: Iterable[str]) -> dict[str, str]:
    """Read `path:text` of grep; of a file with several lines the first counts."""
    found: dict[str, str] = {}
    for line in lines:
        path, _, text = line.partition(":")
        found.setdefault(path, text.strip())
    return found


def _peers(values: Mapping[str, str]) -> tuple[Peer, ...]:
    numbers = sorted(int(path.split("/")[0]) for path in values if path.endswith("/status"))
    return tuple(
        Peer(number, *(_number(values.get(f"{number}/{what}", "")) for what in ("status", "load", "speed")))
        for number in numbers
    )


def _guests(lines: Iterable[str]) -> tuple[Guest, ...]:
    """Read `PID/from:NODE ADDRESS` and `PID/identity:KEY=VALUE`; one that left meanwhile is none."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for line in lines:
        path, _, text = line.partition(":")
        pid, _, name = path.partition("/")
        key, _, value = text.partition("=") if name == "identity" else (name, "", text)
        found[pid][key] = value.strip()
    return tuple(
        Guest(int(pid), _number(each["from"].split()[0]), _number(each["pid"]), each.get("command", ""))
        for pid, each in sorted(found.items())
        if each.get("from") and "pid" in each
    )


def kernel_table(lines: Sequence[str], hosts: Iterable[str]) -> Table | None:
    """Read what `showmap` prints, or else `setpe -r`; None where openMosix is off.

    `setpe -r` writes the names of /etc/hosts instead of addresses.
    """
    names = _addresses(hosts)
    entries = [entry for line in lines if (entry := _entry(line.split(), names)) is not None]
    return Table(tuple(entries)) if entries else None


def _entry(words: Sequence[str], names: Mapping[str, str]) -> Entry | None:
    match words:
        case [number, address, "alias"] if number.startswith("0x"):
            return Entry(int(number, 16), address, 0, alias=True)
        case [number, address, count] if number.startswith("0x") and count.isdigit():
            return Entry(int(number, 16), address, int(count))
        case ["OpenMosix", "range", numbers, "begins", "at", place]:
            first, _, last = numbers.partition("-")
            return Entry(int(first), names.get(place, place), int(last or first) - int(first) + 1)
        case ["OpenMosix", "node", number, "is", "at", place]:
            return Entry(int(number), names.get(place, place), 1)
        case ["Node", number, "has", "an", "alias:", place]:
            return Entry(int(number), names.get(place, place), 0, alias=True)
    return None


def _addresses(hosts: Iterable[str]) -> dict[str, str]:
    """Map each name of a hosts file to its first address, as the resolver does."""
    found: dict[str, str] = {}
    for line in hosts:
        address, *names = line.partition("#")[0].split() or [""]
        for name in names:
            found.setdefault(name, address)
    return found


def _own_address(name: str, hosts: Iterable[str]) -> str | None:
    """Return what setpe takes for the node's own address: that of its host name."""
    return _addresses(hosts).get(name)


def _tools(values: Mapping[str, list[str]]) -> str:
    """Return the version that the installer noted, or else a hash of the programs themselves."""
    if noted := _last(values, "tools"):
        return noted
    programs = sorted(
        f"{md5} {path.strip().rpartition('/')[2]}"
        for md5, _, path in (line.partition(" ") for line in values.get("tool", ()))
    )
    return "sha256 " + hashlib.sha256("\n".join(programs).encode()).hexdigest()[:16] if programs else ""


def _last(values: Mapping[str, list[str]], key: str) -> str:
    found = values.get(key)
    return found[-1].strip() if found else ""


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0
