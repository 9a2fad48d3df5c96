# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie colinux`: write and check the configuration of coLinux guests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from eyrie.cli.nodes_input import inventory_listing, read_bytes
from eyrie.errors import EyrieError
from eyrie.guests.colinux.files import Checked, check, one_desktop, render
from eyrie.guests.colinux.release import Release
from eyrie.guests.colinux.sources import Desktop, from_file, from_listing
from eyrie.nodetable import Table
from eyrie.nodetable.scan import printable
from eyrie.nodetable.sources import NUMBERS
from eyrie.nodetable.state import load

app = typer.Typer(no_args_is_help=True, help="coLinux guests of 32-bit Windows desktops: config, check.")


@app.command("config")
def config(
    hosts: Annotated[list[str], typer.Argument(metavar="HOST...", help="Desktops of the group colinux.")],
    inventory: Annotated[Path | None, typer.Option("-i", "--inventory", help="An Ansible inventory.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="YAML with pool and desktops, instead of -i.")
    ] = None,
    numbers: Annotated[
        Path | None,
        typer.Option("--numbers", metavar="FILE", help="The openMosix numbers given so far; committed."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write HOST.xml or HOST.conf there.")
    ] = None,
) -> None:
    """Write the guest's configuration of desktops: XML for 0.6.x, an @file for 0.7.x.

    The MAC address follows from the pool's and the desktop's name. Address, openMosix number and names are
    handed to the guest on its boot line; the number is that of the guest's address in the numbers file. All
    desktops of the pool are read, so that nothing is given twice.
    """
    if len(hosts) > 1 and output is None:
        raise EyrieError(
            "eyrie colinux config", seen=f"{len(hosts)} hosts", wanted="--output DIR for several"
        )
    found = {each.name: each for each in _desktops(inventory, file, numbers)}
    texts = {name: _text(_found(found, name)) for name in hosts}
    for name, text in texts.items():
        desktop = _found(found, name)
        if output is None:
            typer.echo(text, nl=False)
            continue
        output.mkdir(parents=True, exist_ok=True)
        path = output / desktop.file
        path.write_text(text, encoding="ascii", newline="\n")
        typer.echo(f"{path}: for coLinux {desktop.release}")


@app.command("check")
def check_files(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Configuration files of one pool.")],
    release: Annotated[
        str | None,
        typer.Option("--release", help="Judge for this one; else 0.6.1 for XML and 0.7.9 for an @file."),
    ] = None,
    same_desktop: Annotated[
        bool, typer.Option("--same-desktop", help="The guests run on one desktop: refuse a shared image.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects instead.")] = False,
) -> None:
    """Say of each file `FILE: ok`, or everything that is wrong with it. Exit status 0 if all are ok, else 1.

    Files are read as one pool's: a MAC address, name, address or openMosix number in two of them is refused.
    """
    wanted = Release.of(release) if release else None
    given = [(printable(os.fsencode(name)), read_bytes(Path(name))) for name in files]
    checked = check(given, wanted)
    between = one_desktop(checked) if same_desktop else []
    if as_json:
        typer.echo(json.dumps([_object(each) for each in checked] + _shared(between), indent=2))
    else:
        for each in checked:
            if not each.faults:
                typer.echo(f"{each.source}: ok for coLinux {each.release}")
            for fault in each.faults:
                typer.echo(f"{each.source}: refused: {fault}")
        for fault in between:
            typer.echo(f"one desktop: refused: {fault}")
    raise typer.Exit(1 if between or any(each.faults for each in checked) else 0)


def _object(each: Checked) -> dict[str, object]:
    faults = [str(fault) for fault in each.faults]
    return {"source": each.source, "release": str(each.release), "accepted": not faults, "faults": faults}


def _shared(between: list[EyrieError]) -> list[dict[str, object]]:
    faults = [str(fault) for fault in between]
    return [{"source": "one desktop", "accepted": False, "faults": faults}] if faults else []


def _desktops(inventory: Path | None, file: Path | None, numbers: Path | None) -> list[Desktop]:
    if (file is None) == (inventory is None):
        seen = "both" if file else "neither"
        raise EyrieError("eyrie colinux config", seen=seen, wanted="either --file or -i INVENTORY")
    if file is not None:
        return from_file(read_bytes(file), str(file), _table(numbers, file.parent))
    assert inventory is not None
    folder = inventory if inventory.is_dir() else inventory.parent
    return from_listing(inventory_listing(inventory), _table(numbers, folder))


def _table(numbers: Path | None, folder: Path) -> Table | None:
    """Return the pool's node table; None for a pool without openMosix."""
    path = numbers or folder / NUMBERS
    if numbers is None and not path.exists():
        return None
    return load(read_bytes(path), str(path)).table


def _found(desktops: dict[str, Desktop], name: str) -> Desktop:
    desktop = desktops.get(name.split(".")[0])
    if desktop is None:
        raise EyrieError(f"desktop {name}", seen="not in the pool", wanted=f"one of its {len(desktops)}")
    return desktop


def _text(desktop: Desktop) -> str:
    try:
        return render(desktop.guest, desktop.release)
    except EyrieError as error:
        raise EyrieError(
            f"desktop {desktop.name}: {error.thing}",
            seen=error.seen,
            wanted=error.wanted,
            next_step=error.next_step,
        ) from None
