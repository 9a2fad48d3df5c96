# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie depot`: the third-party files that a pool uses, by hash."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from eyrie.artefacts.catalogue import Artefact, for_pool, load
from eyrie.artefacts.depot import VARIABLE, Depot, Taken, depot_root

app = typer.Typer(
    no_args_is_help=True,
    help="Keep the files of others that a pool uses (kernels, patches, root images): Eyrie ships and fetches"
    " none of them, and takes only those whose hash it knows.",
)
ROOT = typer.Option(None, "--depot", help=f"The depot; else ${VARIABLE}, else /var/lib/eyrie/depot.")
POOL = typer.Option(None, "--for", help="Only what this kind of pool needs, such as openmosix.")
_errors = Console(stderr=True, highlight=False)


@app.command()
def add(
    paths: list[Path] = typer.Argument(help="Files, or folders to look through."), root: Path | None = ROOT
) -> None:
    """Take the files that the catalogue knows; refuse any whose hash is wrong."""
    depot = _depot(root)
    taken = [each for path in paths for each in depot.add(path)]
    for each in taken:
        _tell(each)
    if any(each.error for each in taken):
        raise typer.Exit(1)


@app.command()
def pin(name: str, path: Path, root: Path | None = ROOT) -> None:
    """Vouch for a file whose hash nobody has verified yet, and take it."""
    depot = _depot(root)
    _tell(depot.pin(name, path))
    typer.echo(f"{name}: pinned to SHA-256 {depot.catalogue[name].sha256}")


@app.command("list")
def list_(pool: str | None = POOL, root: Path | None = ROOT) -> None:
    """Print every artefact and whether it is there."""
    depot = _depot(root)
    for artefact in for_pool(depot.catalogue, pool):
        typer.echo(f"{artefact.name}: {_state(depot, artefact)}: {artefact.description}")
        typer.echo(f"    {artefact.file} {artefact.version}, {artefact.licence}; {artefact.published}")


@app.command()
def missing(pool: str | None = POOL, root: Path | None = ROOT) -> None:
    """Print what is not there yet; exit 1 if anything is not."""
    depot = _depot(root)
    lacking = depot.missing(for_pool(depot.catalogue, pool))
    for artefact in lacking:
        verb = "add" if artefact.sha256 else f"pin {artefact.name}"
        typer.echo(f"{artefact.name}: {artefact.file} {artefact.version}, published by {artefact.published}")
        typer.echo(f"    SHA-256 {artefact.sha256 or 'unverified'}; then: eyrie depot {verb} FILE")
        if artefact.sums:
            typer.echo(f"    never seen here; its sums are those of {artefact.sums}")
    if lacking:
        raise typer.Exit(1)


@app.command()
def verify(root: Path | None = ROOT) -> None:
    """Read every file of the depot and compare its hash."""
    depot = _depot(root)
    faults = depot.verify()
    for fault in faults:
        _errors.print(f"[bold red]eyrie:[/] {escape(str(fault))}", soft_wrap=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(
        f"{sum(map(depot.has, depot.catalogue))} of {len(depot.catalogue)} artefacts are there and whole"
    )


def _depot(root: Path | None) -> Depot:
    return Depot(root or depot_root(), load())


def _tell(taken: Taken) -> None:
    if taken.error is None:
        typer.echo(f"{taken.artefact}: {'is there already' if taken.outcome == 'there' else taken.outcome}")
    else:
        _errors.print(f"[bold red]eyrie:[/] {escape(str(taken.error))}", soft_wrap=True)


def _state(depot: Depot, artefact: Artefact) -> str:
    if depot.has(artefact.name):
        return "there"
    return "missing" if artefact.sha256 else "unverified"
