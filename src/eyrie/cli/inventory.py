# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie inventory`: desktops from lists of other programs."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from eyrie.errors import EyrieError
from eyrie.inventory.importer import read, render

app = typer.Typer(no_args_is_help=True, help="Make inventories.")


@app.callback()
def _group() -> None:
    """Make inventories."""


@app.command("import")
def import_(
    file: Path = typer.Argument(help="CSV with the columns name, address, subnet and perhaps mac and user."),
    output: Path | None = typer.Option(None, "--output", "-o", help="The file to write; else print it."),
) -> None:
    """Turn a list of Windows desktops into an inventory with a group for each subnet.

    Names, addresses and MAC addresses that appear twice are refused, every fault with its line. Commas,
    semicolons and tabs are understood, and the mark that spreadsheets put at the beginning.
    """
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise EyrieError(str(file), seen=error.strerror, wanted="a file that can be read") from None
    desktops = read(data, str(file))
    text = render(desktops)
    if output is None:
        typer.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    typer.echo(f"{output}: {len(desktops)} desktops")
