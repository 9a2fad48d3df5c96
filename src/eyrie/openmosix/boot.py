# SPDX-License-Identifier: GPL-3.0-or-later
"""What starts openMosix when a node boots: one init script, its links, and the firewall that it opens."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eyrie.openmosix.read import SEARCH_PATH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eyrie.openmosix.facts import NodeFacts

INIT = "/etc/init.d/openmosix"
STARTS = tuple(f"rc{level}.d/S95openmosix" for level in (2, 3, 4, 5))
STOPS = tuple(f"rc{level}.d/K05openmosix" for level in (0, 1, 6))

_INIT = """#!/bin/sh
# Written by Eyrie. Starts openMosix with its node table, and empties the node before it goes down.
# Emptying closes the node: one that was open is open again when openMosix starts the next time.
{path}
map=/etc/openmosix.map

firewall() {{
iptables -L INPUT -n >/dev/null 2>&1 || return 0
iptables -N openmosix 2>/dev/null || iptables -F openmosix
{rules}iptables -D INPUT -j openmosix 2>/dev/null
iptables -I INPUT -j openmosix
}}

close_firewall() {{
iptables -D INPUT -j openmosix 2>/dev/null
iptables -F openmosix 2>/dev/null
iptables -X openmosix 2>/dev/null
return 0
}}

empty() {{
i=0
while [ $i -lt 60 ]; do
set -- /proc/hpc/remote/*
if [ ! -d "$1" ] && ! grep -v '^0' /proc/[0-9]*/where >/dev/null 2>&1; then return 0; fi
sleep 1
i=$((i+1))
done
return 1
}}

case "$1" in
start)
firewall
{begin};;
stop)
{no_discovery}block=`cat /proc/hpc/admin/block`
lstay=`cat /proc/hpc/admin/lstay`
mosctl expel >/dev/null
mosctl bring >/dev/null
empty || echo "openmosix: processes are left" >&2
setpe -off
[ "$block" != 0 ] || mosctl noblock >/dev/null
[ "$lstay" != 0 ] || mosctl nolstay >/dev/null
;;
firewall) firewall ;;
close) close_firewall ;;
*)
echo "usage: $0 start|stop|firewall|close" >&2
exit 2
;;
esac
"""
_TABLE = "[ -f $map ] && setpe -w -f $map\n"
# It makes the table itself, and ends at once where openMosix has one already (tools 0.3.6 on 2.4.26-om).
_DISCOVERY = "setpe -off\nomdiscd -i {interface}\n"
_RULE = "iptables -A openmosix -s {network} -p {match} -j ACCEPT\n"
_MATCHES = ("udp --dport 5000:5700", "tcp --dport 4660", "icmp")


@dataclass(frozen=True)
class Boot:
    """The wanted script and what it is to do."""

    text: str
    firewall: bool
    autodiscovery: bool

    @property
    def md5(self) -> str:
        return hashlib.md5(self.text.encode("ascii"), usedforsecurity=False).hexdigest()


def wanted(networks: Sequence[str], firewall: bool, autodiscovery_interface: str | None) -> Boot:
    """Return the script for a pool of these networks."""
    opened = networks if firewall else ()
    rules = [_RULE.format(network=network, match=match) for network in opened for match in _MATCHES]
    text = _INIT.format(
        path=SEARCH_PATH,
        rules="".join(rules),
        begin=_DISCOVERY.format(interface=autodiscovery_interface) if autodiscovery_interface else _TABLE,
        no_discovery="killall omdiscd 2>/dev/null\n" if autodiscovery_interface else "",
    )
    return Boot(text, firewall, autodiscovery_interface is not None)


def plan(facts: NodeFacts, goal: Boot) -> tuple[str, ...]:
    """Say what has to be done, in words; nothing where all is right."""
    todo = []
    if facts.init_md5 != goal.md5:
        todo.append(f"write {INIT}")
    if facts.run_levels and set(facts.links) != {*STARTS, *STOPS}:
        todo.append("link it into the run levels")
    if goal.firewall and facts.firewall == "closed":
        todo.append("open the firewall between nodes")
    if not goal.firewall and facts.firewall == "open":
        todo.append("close the firewall between nodes")
    if facts.daemons and not goal.autodiscovery:
        todo.append(f"stop {', '.join(facts.daemons)}")
    if starts_discovery(facts, goal):
        todo.append("start omdiscd")
    return tuple(todo)


def starts_discovery(facts: NodeFacts, goal: Boot) -> bool:
    """Whether openMosix is switched off and left to omdiscd: the node has to be empty for that."""
    return goal.autodiscovery and "omdiscd" not in facts.daemons


def apply_script(facts: NodeFacts, goal: Boot) -> str:
    """Return the script that takes the init script on standard input and does all that `plan` says."""
    lines = [
        SEARCH_PATH,
        f"[ -d /etc/init.d ] || mkdir /etc/init.d || exit 1\ncat > {INIT}.new || exit 1",
        f"m=`md5sum {INIT}.new | cut -c1-32`",
        f"[ $m = {goal.md5} ] || {{ echo 'it arrived damaged' >&2; exit 1; }}",
        f"chmod 755 {INIT}.new && mv {INIT}.new {INIT} || exit 1",
    ]
    if facts.run_levels:
        ours = (*STARTS, *STOPS)  # what older tools linked goes, or it would start twice
        lines += [f"rm -f {facts.run_levels}/{link}" for link in facts.links if link not in ours]
        lines += [f"ln -sf {INIT} {facts.run_levels}/{link} || exit 1" for link in ours]
    lines.append(f"{INIT} {'firewall' if goal.firewall else 'close'}")
    if not goal.autodiscovery:
        lines += [f"killall {daemon}" for daemon in facts.daemons]
    elif starts_discovery(facts, goal):
        lines.append(f"{INIT} start </dev/null >/dev/null 2>&1")
    return "\n".join([*lines, "sync"])


def remove_script(facts: NodeFacts) -> str:
    """Return the script that leaves nothing of it."""
    links = " ".join(f"{facts.run_levels}/{link}" for link in facts.links)
    return f"{SEARCH_PATH}\n[ -x {INIT} ] && {INIT} close\nrm -f {INIT} {INIT}.new {links}\nsync"
