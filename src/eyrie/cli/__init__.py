# SPDX-License-Identifier: GPL-3.0-or-later
"""The `eyrie` command: a thin edge over the packages, one sub-command a module."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from eyrie import __version__
from eyrie.errors import EyrieError

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"eyrie {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Turn an office into a compute pool."""


SUBCOMMANDS = (
    "lab",
    "guest",
    "demo",
    "image",
    "depot",
    "nodes",
    "cache",
    "msi",
    "inventory",
    "network",
    "colinux",
    "comosix",
)
# Only the one that is called for is imported: a look at a node table need not wait for the lab.
_CALLED = sys.argv[1:2] if Path(sys.argv[0]).name == "eyrie" else []
for _name in [name for name in SUBCOMMANDS if [name] == _CALLED] or SUBCOMMANDS:
    app.add_typer(importlib.import_module(f"eyrie.cli.{_name}").app, name=_name)


def main() -> None:
    """Run the command; an EyrieError becomes one sentence on stderr and exit status 1."""
    if sys.argv[1:2] == ["agent"]:  # the same program that desktops run, with its own standard-library parser
        from eyrie.agent.cli import main as agent_main

        sys.exit(agent_main(sys.argv[2:]))
    try:
        app()
    except EyrieError as error:
        message = f"[bold red]eyrie:[/] {escape(str(error))}"
        Console(stderr=True, highlight=False).print(message, soft_wrap=True)
        sys.exit(1)
    except BrokenPipeError:
        os._exit(141)
