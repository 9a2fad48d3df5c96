# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie guest`: build guest images and look at them."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from rich.console import Console

from eyrie.apt_mirror import debian_mirror
from eyrie.guests.image.build import build_image, copy_image
from eyrie.guests.image.recipe import Recipe, epoch_from_environment, read_image

app = typer.Typer(no_args_is_help=True, help="Build the guest image and look at it.")
_progress = Console(stderr=True, highlight=False)


@app.command()
def build(
    package: list[str] = typer.Option([], help="Debian package to put in, with all it needs; repeatable."),
    output: Path | None = typer.Option(None, help="Folder to copy the image to."),
    mirror: str | None = typer.Option(None, help="Debian mirror; without it, the one of this system's apt."),
    fresh: bool = typer.Option(False, help="Build anew with today's package versions."),
) -> None:
    """Build a guest image, or take it from the cache; print its folder and its hash as JSON."""
    recipe = Recipe(tuple(package), epoch_from_environment())
    image = build_image(recipe, lambda: mirror or debian_mirror(), fresh=fresh, say=_progress.print)
    if output:
        copy_image(image, output)
    typer.echo(json.dumps({"image": str(output or image.directory), "image_id": image.image_id}))


@app.command()
def show(directory: Path = typer.Argument(help="Folder of an image.")) -> None:
    """Check an image against its manifest and print what is in it."""
    image = read_image(directory)
    typer.echo(f"image {image.image_id}")
    typer.echo(f"kernel {image.manifest['kernel']}")
    for name, facts in image.manifest["artefacts"].items():
        typer.echo(f"file {name} {facts['size']} {facts['sha256']}")
    for name, version in image.manifest["packages"].items():
        typer.echo(f"package {name} {version}")
