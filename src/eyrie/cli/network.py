# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie network`: plan a pool's own network, explain it, draw it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from eyrie.cli.nodes_input import inventory_listing, read_bytes
from eyrie.errors import EyrieError
from eyrie.networks import NetworkPlan, Wanted, changes, diagram, explain, plan
from eyrie.networks.sources import ADDRESSES, from_file, from_listing
from eyrie.networks.state import RESTORE, State, dump, load, write

app = typer.Typer(no_args_is_help=True, help="A pool's own network: plan, explain, draw.")

File = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="YAML with mode, subnets and hosts, instead of -i.")
]
Inventory = Annotated[Path | None, typer.Option("-i", "--inventory", help="An Ansible inventory.")]
Addresses = Annotated[
    Path | None, typer.Option("--addresses", metavar="FILE", help="The addresses given so far; committed.")
]


@app.command("plan")
def plan_network(
    file: File = None,
    inventory: Inventory = None,
    addresses: Addresses = None,
    before: Annotated[
        Path | None,
        typer.Option("--before", metavar="FILE", help="The plan file of before: say which hosts change."),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Give every address anew, whatever was given.")] = False,
    save: Annotated[bool, typer.Option("--write", help="Write the addresses file; else only show.")] = False,
    most: Annotated[int, typer.Option("--most", help="How many hosts to list.")] = 40,
) -> None:
    """Give each host its private address and say how hosts reach one another; nothing is touched.

    Addresses are kept in a committed file beside the inventory (pool-addresses.yml). It is refused if it was
    edited by hand; where it is missing --new is needed, because an address that changes ends connections.
    What cannot work is refused with every reason.
    """
    wanted, path = _wanted(file, inventory, addresses)
    given = _given(path, new)
    done = plan(wanted, given, new=new)
    console = Console()
    _show(done, console, most)
    if before is not None:
        old = plan(from_file(read_bytes(before), str(before)), given)
        _show_changes(old, done, console)
    if save:
        write(path, done.state)
        console.print(f"written: {path}; commit it", markup=False, highlight=False, soft_wrap=True)
    elif given is None or dump(given) != dump(done.state):
        console.print("nothing is written without --write", highlight=False)


@app.command("explain")
def explain_network(
    names: Annotated[
        list[str], typer.Argument(metavar="HOST [HOST]", help="One host, or two to go between.")
    ],
    file: Annotated[Path | None, typer.Option("--file", help="YAML with mode, subnets and hosts.")] = None,
    inventory: Inventory = None,
    addresses: Addresses = None,
) -> None:
    """Say what one host gets and why, or what happens to a packet from one host to another."""
    if len(names) > 2:
        raise EyrieError("eyrie network explain", seen=f"{len(names)} hosts", wanted="one or two")
    wanted, path = _wanted(file, inventory, addresses)
    done = plan(wanted, load(read_bytes(path), str(path)) if path.exists() else None)
    if names[0] not in done.by_name:
        raise EyrieError(
            f"host {names[0]}", seen="not in the pool's network", wanted=f"one of its {len(done.hosts)} hosts"
        )
    lines = explain.way(done, names[0], names[1]) if len(names) == 2 else explain.host(done.by_name[names[0]])
    for line in lines:
        typer.echo(line)


@app.command("diagram")
def draw_network(
    file: File = None,
    inventory: Inventory = None,
    addresses: Addresses = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write this .svg; else print text.")
    ] = None,
) -> None:
    """Draw the pool's network: as text, or with --output as a picture."""
    wanted, path = _wanted(file, inventory, addresses)
    done = plan(wanted, load(read_bytes(path), str(path)) if path.exists() else None)
    if output is None:
        for line in diagram.text(done, wanted):
            typer.echo(line)
        return
    if output.suffix != ".svg":
        raise EyrieError("--output", seen=str(output), wanted="a file name ending in .svg")
    output.write_text(diagram.svg(done, wanted), encoding="utf-8")
    typer.echo(f"{output}: {len(done.hosts)} hosts")


def _wanted(file: Path | None, inventory: Path | None, addresses: Path | None) -> tuple[Wanted, Path]:
    """What is wanted, and where its addresses are kept."""
    if (file is None) == (inventory is None):
        raise EyrieError(
            "eyrie network",
            seen="both" if file else "neither",
            wanted="either a plan file or -i INVENTORY",
        )
    if file is not None:
        return from_file(read_bytes(file), str(file)), addresses or file.parent / ADDRESSES
    assert inventory is not None
    folder = inventory if inventory.is_dir() else inventory.parent
    return from_listing(inventory_listing(inventory)), addresses or folder / ADDRESSES


def _given(path: Path, new: bool) -> State | None:
    if path.exists():
        return load(read_bytes(path), str(path))
    if not new:
        raise EyrieError(
            f"addresses file {path}",
            seen="no such file",
            wanted="the addresses given so far",
            next_step=f"a new pool gets its addresses with --new; else {RESTORE}",
        )
    return None


def _show(done: NetworkPlan, console: Console, most: int) -> None:
    """The hosts with what they get, and what a reader should know."""
    table = Table(title=f"mode {done.mode}: {explain.WORDS[done.mode]}", title_justify="left")
    for column in ("host", "official", "private", "device", "MTU", "MSS", "peers"):
        table.add_column(column, justify="right" if column in ("MTU", "MSS", "peers") else "left")
    for host in done.hosts[:most]:
        name = f"{host.name} (gateway)" if host.forwards else host.name
        numbers = (str(host.mtu), str(host.mss), str(len(host.peers)))
        table.add_row(name, host.official, host.private or "-", host.device or "-", *numbers)
    console.print(table)
    if len(done.hosts) > most:
        console.print(f"and {len(done.hosts) - most} more hosts", highlight=False)
    for note in done.notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)


def _show_changes(old: NetworkPlan, new: NetworkPlan, console: Console) -> None:
    found = changes(old, new)
    console.print(f"{len(found)} of {len(new.hosts)} hosts change", highlight=False)
    for each in found[:40]:
        console.print(f"  {each}", markup=False, highlight=False, soft_wrap=True)
