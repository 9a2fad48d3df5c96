# SPDX-License-Identifier: GPL-3.0-or-later
"""Empty a node without losing a process: what to say to it next, until it is empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from eyrie.openmosix.read import SEARCH_PATH, read_script

if TYPE_CHECKING:
    from eyrie.openmosix.facts import NodeFacts


@dataclass(frozen=True)
class Move:
    """Commands to give now; `done` where the node is as wanted and nothing is to be said."""

    commands: tuple[str, ...] = ()
    done: bool = False


def drain(facts: NodeFacts) -> Move:
    """Nobody in, everybody out, all of ours home, and stay there."""
    if not facts.enabled:
        return Move(done=True)
    commands = []
    if not facts.blocked:
        commands.append("mosctl block")
    if facts.guests:
        commands.append("mosctl expel")
    if facts.away or not facts.staying:
        # Also keeps the processes at home afterwards (lstay).
        commands.append("mosctl bring")
    return Move(tuple(commands), done=not commands)


def resume(facts: NodeFacts) -> Move:
    """Everybody may come and go again."""
    commands = []
    if facts.blocked:
        commands.append("mosctl noblock")
    if facts.staying:
        commands.append("mosctl nolstay")
    return Move(tuple(commands), done=not commands)


def script(move: Move, wait_seconds: int) -> str:
    """Return a script that gives the commands, waits a while for the node to be empty, and reads it."""
    said = "".join(f"{command} >/dev/null || exit 1\n" for command in move.commands)
    return f"{SEARCH_PATH}\n{said}{_WAIT.format(ticks=wait_seconds * 4)}{read_script()}"


# The shell looks itself, without starting a program but one, so that waiting costs the guests no time.
_WAIT = """i=0
while [ $i -lt {ticks} ]; do
set -- /proc/hpc/remote/*
if [ ! -d "$1" ] && ! grep -v '^0' /proc/[0-9]*/where >/dev/null 2>&1; then break; fi
usleep 250000 2>/dev/null || sleep 1
i=$((i+1))
done
"""


def left(facts: NodeFacts) -> list[str]:
    """Name every process that still keeps the node from being empty."""
    here = [
        f"guest {guest.pid} ({guest.command}, process {guest.home_pid} of node {guest.home})"
        for guest in facts.guests
    ]
    away = [
        f"process {each.pid} on node {each.node}" + ("" if each.node in facts.up else ", which is down")
        for each in facts.away
    ]
    return here + away


def state_text(facts: NodeFacts) -> str:
    """Return the state as a diff shows it."""
    lines = [f"block: {int(facts.blocked)}", f"lstay: {int(facts.staying)}", *left(facts)]
    return "\n".join(lines) + "\n"
