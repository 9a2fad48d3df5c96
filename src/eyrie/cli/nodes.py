# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie nodes`: check node tables, number the nodes of a pool, compare, import."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from eyrie.cli.nodes_input import (
    as_text,
    lookup_of,
    networks_of,
    numbers_given,
    read_bytes,
    read_table,
    wanted,
)
from eyrie.errors import EyrieError
from eyrie.nodetable import NumberPlan, diff, plan, render, unified
from eyrie.nodetable.check import Report, Rules, check
from eyrie.nodetable.importers import from_csv, from_hosts, from_map, pool_text, subnets_of
from eyrie.nodetable.scan import printable
from eyrie.nodetable.setpe import judge
from eyrie.nodetable.state import State, write

app = typer.Typer(no_args_is_help=True, help="Node tables (openmosix.map): check, plan, compare, import.")

Networks = Annotated[
    list[str] | None,
    typer.Option(
        "--network", metavar="CIDR", help="A subnet of the pool, such as 10.77.0.0/24; may be repeated."
    ),
]
HostsFile = Annotated[
    Path | None,
    typer.Option("--hosts", metavar="FILE", help="Look names up in this copy of a node's /etc/hosts."),
]
Resolve = Annotated[
    bool,
    typer.Option(
        "--resolve", help="Look names up with this machine's resolver, over the network if need be."
    ),
]


@app.command("check")
def check_maps(
    maps: Annotated[list[str], typer.Argument(metavar="MAP...", help="Node tables; - is standard input.")],
    own: Annotated[
        str | None, typer.Option("--own", metavar="ADDRESS", help="Judge as the node with this address.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse also what setpe takes although it cannot work.")
    ] = False,
    network: Networks = None,
    hosts: HostsFile = None,
    resolve: Resolve = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects instead.")] = False,
) -> None:
    """Say of each map what the genuine setpe says of it: `MAP: ok`, or `MAP: refused: REASON`.

    Exit status 0 if all are ok, else 1. With --own the map must hold that address in a range; without, it is
    judged as on any node that it holds. A host name is unknown, as on a node with an empty /etc/hosts, unless
    --hosts or --resolve says where to look; without --resolve nothing is asked over the network.

    --strict refuses 0.0.0.0, multicast, loopback, network and broadcast addresses (those of /24s, or of the
    subnets given with --network), addresses that are not four plain octets, ranges of no node, and with
    --network whatever is in none of them.
    """
    rules = Rules(own, strict, networks_of(network), lookup_of(hosts, resolve))
    judge(b"", own)  # a wrong --own is a fault of the command line, not of the first map
    reports = (_report(name, rules) for name in maps)
    good = _print_json(reports) if as_json else _print_lines(reports)
    raise typer.Exit(0 if good else 1)


def _report(name: str, rules: Rules) -> Report:
    shown = printable(os.fsencode(name))
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as error:
        return Report(shown, False, f"cannot be read: {getattr(error, 'strerror', None) or error}")
    return check(data, shown, rules)


def _print_lines(reports: Iterator[Report]) -> bool:
    good = True
    for report in reports:
        good = good and report.accepted
        sys.stdout.write(f"{report}\n".encode("utf-8", "replace").decode(sys.stdout.encoding, "replace"))
    return good


def _print_json(reports: Iterator[Report]) -> bool:
    found = list(reports)
    typer.echo(json.dumps([asdict(report) for report in found], indent=2))
    return all(report.accepted for report in found)


@app.command("plan")
def plan_numbers(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="YAML with subnets and hosts, instead of -i.")
    ] = None,
    inventory: Annotated[Path | None, typer.Option("-i", "--inventory", help="An Ansible inventory.")] = None,
    numbers: Annotated[
        Path | None, typer.Option("--numbers", metavar="FILE", help="The numbers given so far; committed.")
    ] = None,
    deployed: Annotated[
        list[Path] | None,
        typer.Option(
            "--deployed", metavar="MAP", help="A node's present table, to be sure; may be repeated."
        ),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Number the pool from 1 on, whatever was given.")
    ] = False,
    save: Annotated[bool, typer.Option("--write", help="Write the numbers file; else only show.")] = False,
    as_table: Annotated[bool, typer.Option("--table", help="Print the node table only.")] = False,
) -> None:
    """Number the nodes of a pool, subnet by subnet, and say what the change would do before it is done.

    Each subnet is one range of numbers for all its addresses and keeps it for ever; growth appends. They are
    kept in a committed file beside the inventory. It is refused if it was edited by hand; where it is missing
    --new is needed, because numbers given anew restart every node.
    """
    pool = wanted(file, inventory)
    path = numbers or pool.numbers
    tables = {str(each): read_table(each) for each in deployed or ()}
    result = plan(pool.subnets, pool.hosts, numbers_given(path, new, bool(tables)), deployed=tables, new=new)
    if save:
        write(path, result.state)
    if as_table:
        typer.echo(render(result.table), nl=False)
        return
    _show(result, path, save, new)


def _show(result: NumberPlan, path: Path, saved: bool, new: bool) -> None:
    """The effect, the change of the table, and what to do next."""
    ranges, size = len(result.table.ranges), result.table.size
    typer.echo(f"{result.effect.summary}: {ranges} ranges for {size} nodes")
    for note in result.notes:
        typer.echo(note)
    for name in result.effect.restarts[:20]:
        typer.echo(f"restarts: {name}")
    if len(result.effect.restarts) > 20:
        typer.echo(f"restarts: and {len(result.effect.restarts) - 20} more")
    for mark, entries in (("-", result.effect.diff.removed), ("+", result.effect.diff.added)):
        for entry in entries:
            typer.echo(f"{mark} {entry}")
    if new:
        typer.echo("numbered anew: a node that carries another table restarts")
    if saved:
        typer.echo(f"written: {path}; commit it")
    else:
        typer.echo("nothing is written without --write")


@app.command("diff")
def diff_maps(
    old: Annotated[Path, typer.Argument(metavar="A")],
    new: Annotated[Path, typer.Argument(metavar="B")],
    hosts: HostsFile = None,
    resolve: Resolve = False,
) -> None:
    """Compare two node tables, and say what going from A to B would do. Exit status 1 if they differ."""
    lookup = lookup_of(hosts, resolve)
    before, after = read_table(old, lookup), read_table(new, lookup)
    change = diff(before, after)
    typer.echo(unified(before, after, printable(os.fsencode(old)), printable(os.fsencode(new))), nl=False)
    for span in change.restarts:
        typer.echo(f"restart: {span}")
    if change.restarts:
        typer.echo(f"restart of {change.restart_count} addresses whose own mapping changes")
    else:
        typer.echo("no change" if not change else "append only" if change.appends_only else "no restart")
    if change.left:
        typer.echo(f"{change.left} addresses are in no range any more: nodes there are refused the new table")
    raise typer.Exit(1 if change else 0)


@app.command("import")
def import_pool(
    kind: Annotated[str, typer.Argument(metavar="FORMAT", help="map, csv or hosts")],
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    numbers: Annotated[
        Path | None, typer.Option("--numbers", metavar="FILE", help="With map: where to keep its numbers.")
    ] = None,
    network: Networks = None,
    hosts: HostsFile = None,
    resolve: Resolve = False,
) -> None:
    """Begin with a pool that exists: print a plan file for `eyrie nodes plan`.

    map: the ranges of an openmosix.map with all their numbers, which --numbers keeps in a new numbers file.
    csv: a list of hosts with the columns name,address[,subnet].
    hosts: a hosts file such as /etc/hosts, under the first name of each line; loopback and IPv6 are left out.
    """
    data = read_bytes(file)
    source = printable(os.fsencode(file))
    if kind == "map":
        state = from_map(data, source, lookup_of(hosts, resolve))
        if numbers:
            _keep(numbers, state)
        value: dict[str, Any] = {"subnets": list(subnets_of(state)), "hosts": {}}
    elif kind in ("csv", "hosts"):
        read = from_csv if kind == "csv" else from_hosts
        value = pool_text(read(as_text(data, source), source, networks_of(network)))
    else:
        raise EyrieError("format", seen=kind, wanted="map, csv or hosts")
    typer.echo(yaml.safe_dump(value, sort_keys=False, default_flow_style=None, allow_unicode=True), nl=False)


def _keep(path: Path, state: State) -> None:
    if path.exists():
        raise EyrieError(str(path), seen="exists", wanted="no file, so that no numbers are lost")
    write(path, state)
