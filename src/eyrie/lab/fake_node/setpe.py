# SPDX-License-Identifier: GPL-3.0-or-later
"""setpe on a fake node: the table is judged by Eyrie's own judge, what follows is acted out."""

from __future__ import annotations

import getopt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eyrie.lab.fake_node import sayings
from eyrie.lab.fake_node.call import Answer, Call
from eyrie.nodetable import Entry, Table, judge, parse
from eyrie.nodetable.names import Lookup, hosts_lookup

if TYPE_CHECKING:
    from eyrie.lab.fake_node.tools import Acts

REFUSED = 102


@dataclass(frozen=True)
class Wish:
    """What the options ask for."""

    verb: str  # w W c r off
    file: str | None = None
    own: int | None = None


def answer(kernel: Acts, call: Call) -> Answer:
    """Carry out one call."""
    wish, complaint = _wish(call.arguments)
    if wish is None:
        return Answer(0, "", complaint + sayings.SETPE_USAGE)
    if wish.verb == "off":
        kernel.adopt(Table(), 0, restart=True)
        return Answer(0)
    return _show(kernel, call, wish) if wish.verb == "r" else _take(kernel, call, wish)


def _wish(words: tuple[str, ...]) -> tuple[Wish | None, str]:
    if words == ("-off",):
        return Wish("off"), ""
    try:
        options, rest = getopt.getopt(list(words), "wWcrn:p:g:f:")
    except getopt.GetoptError as error:
        kind = "option requires an argument" if "requires" in error.msg else "invalid option"
        return None, f"setpe: {kind} -- {error.opt}\n"
    given = dict(options)
    verbs = [name[1] for name in ("-w", "-W", "-c", "-r") if name in given]
    number = given.get("-p", "")
    if len(verbs) != 1 or rest or (number and not number.isdigit()):
        return None, ""
    return Wish(verbs[0], given.get("-f"), int(number) if number else None), ""


def _take(kernel: Acts, call: Call, wish: Wish) -> Answer:
    world = kernel.world
    try:
        data = call.read(wish.file or "-")
    except IsADirectoryError:
        data = b""
    except OSError as error:
        return Answer(REFUSED, "", f"{wish.file}: {error.strerror}\n")
    lookup = _hosts(call)
    verdict = judge(data, world.address if wish.own is None else None, lookup=lookup)
    if not verdict.accepted:
        return Answer(REFUSED, "", verdict.message.decode(errors="surrogateescape"))
    table = parse(data, lookup=lookup)
    own = wish.own or table.number_of(world.address) or 0
    if table.address_of(own) is None:
        return Answer(REFUSED, "", "setpe: the table is ok, but I'm not there!\n")
    if wish.verb == "c":
        return Answer(0)
    is_restart = world.own == 0 or _base(world.table, world.own) != _base(table, own)
    if wish.verb == "w" and world.own and is_restart:
        return Answer(REFUSED, "", sayings.NEEDS_RESTART)
    kernel.adopt(table, own, restart=wish.verb == "W" or is_restart)
    return Answer(0)


def _show(kernel: Acts, call: Call, wish: Wish) -> Answer:
    world = kernel.world
    if not world.own:
        return Answer(3, "OpenMosix is currently disabled\n")
    names = {address: name for name, address in _pairs(call)}
    lines = [f"This is OpenMosix node #{world.own}", "Network protocol: 2 (AF_INET)"]
    for entry in world.table.ranges:
        begin = names.get(entry.address, entry.address)
        lines.append(f"OpenMosix range {entry.first:5d}-{entry.last:<5d} begins at {begin}")
    lines += [f"Node {entry.first} has an alias: {entry.address}" for entry in world.table.aliases]
    aliases = len(world.table.aliases)
    said = f"; {aliases} alias{'es' if aliases > 1 else ''}" if aliases else ""
    text = "\n".join([*lines, f"Total configured: {world.table.size}{said}"]) + "\n"
    if wish.file and wish.file != "-":  # really: it writes into the file
        call.place(wish.file).write_text(text, encoding="ascii")
        return Answer(0)
    return Answer(0, text)


def _base(table: Table, own: int) -> tuple[int, str] | None:
    """A node's own mapping is where its range begins: the same number and address elsewhere is a change."""
    holder: Entry | None = next((one for one in table.ranges if one.first <= own <= one.last), None)
    return (holder.first, holder.address) if holder else None


def _pairs(call: Call) -> list[tuple[str, str]]:
    text = call.place("/etc/hosts").read_text(encoding="utf-8", errors="replace")
    rows = [line.partition("#")[0].split() for line in text.splitlines()]
    return [(name, row[0]) for row in rows if row for name in row[1:]]


def _hosts(call: Call) -> Lookup:
    return hosts_lookup(dict(_pairs(call)))
