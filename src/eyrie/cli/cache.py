# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie cache`: give back what the control host keeps to be quick."""

from __future__ import annotations

import typer

from eyrie.cache import images
from eyrie.cache.prune import amount, plan
from eyrie.errors import EyrieError
from eyrie.guests.image.recipe import cache_root
from eyrie.lab.paths import STATE

app = typer.Typer(no_args_is_help=True, help="Look after the caches of images.")


@app.callback()
def _group() -> None:
    """Look after the caches of images."""


@app.command()
def prune(
    keep: int = typer.Option(0, min=0, help="Images of each cache to keep beside those that are needed."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Tell what would go, and remove nothing."),
) -> None:
    """Remove the images that no recipe of today and no lab needs."""
    found = images.read(cache_root(), STATE)
    freed = 0
    for image in plan(found, keep):
        try:
            gone = dry_run or images.remove(image)
        except OSError as error:
            raise EyrieError(
                f"image {image.path}", seen=str(error), wanted="to remove it", next_step="run it as root"
            ) from error
        freed += image.size if gone else 0
        word = ("would remove" if dry_run else "removed") if gone else "left, as it is being built:"
        typer.echo(f"{word} {image.path} {amount(image.size)}")
    for image in found:
        if image.needed:
            typer.echo(f"kept {image.path} {amount(image.size)}: {image.needed}")
    typer.echo(f"{'would free' if dry_run else 'freed'} {amount(freed)}")
