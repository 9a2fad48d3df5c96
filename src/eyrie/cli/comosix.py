# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie comosix`: take over a site of coMosix or CosMos."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from eyrie.cli.nodes_input import read_bytes
from eyrie.committed import replace
from eyrie.comosix import ini, ipsec_secrets
from eyrie.comosix import inventory as files
from eyrie.comosix.site import Site, meanings, site
from eyrie.errors import EyrieError
from eyrie.nodetable.scan import printable

app = typer.Typer(no_args_is_help=True, help="Take over a site of coMosix or CosMos.")


@app.callback()
def _group() -> None:
    """Take over a site of coMosix or CosMos."""


@app.command("import")
def import_site(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The site's comosix.ini.")],
    inventory: Annotated[
        Path, typer.Option("--inventory", "-i", metavar="DIR", help="The site's inventory.")
    ],
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="FILE", help="ipsec.secrets of its nodes.")
    ] = None,
    means: Annotated[
        list[str] | None,
        typer.Option("--means", metavar="SECTION.KEY=MEANING", help="What a key means; may be repeated."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only tell what would change.")] = False,
) -> None:
    """Write an inventory's variables of the group colinux, and keep the site's secrets beside it.

    Every key that is not understood is named with its line. Passwords and keys go to secrets/comosix.yml,
    which git ignores, and are never printed; defaults that everybody knows are warned of. A second run
    changes nothing.
    """
    if not inventory.is_dir():
        raise EyrieError(str(inventory), seen="no such folder", wanted="the folder of an inventory")
    found = _site(file, keys, means or [])
    for note in found.notes:
        typer.echo(f"left out: {note}")
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
    path = inventory / files.VARIABLES
    before = _text(path)
    files.refuse_foreign(before, str(path))
    after = files.variables(found)
    secret_path = inventory / files.SECRETS
    secrets_before = _text(secret_path)
    secrets_after = files.secrets(found, secrets_before, str(secret_path))
    # All is read and judged before the first file is written.
    changed = after != before
    secrets_told = (
        files.secret_differences(secrets_before, secrets_after, str(secret_path))
        if secrets_after != secrets_before
        else []
    )
    if changed:
        typer.echo(files.difference(before, after, str(path)), nl=False)
    for line in secrets_told:
        typer.echo(f"{secret_path}: {line}")
    if not check:
        if changed:
            _write(path, after)
        if secrets_after != secrets_before:
            _write_secret(secret_path, secrets_after)
    told = "unchanged" if not changed and secrets_after == secrets_before else "written"
    typer.echo("nothing is written with --check" if check and told == "written" else f"{inventory}: {told}")


def _site(file: Path, keys: Path | None, means: list[str]) -> Site:
    told = meanings(means)
    found = ipsec_secrets.Secrets((), ())
    if keys is not None:
        found = ipsec_secrets.parse(read_bytes(keys), printable(os.fsencode(keys)))
    source = printable(os.fsencode(file))
    made = site(ini.parse(read_bytes(file), source), source, found.keys, told)
    return Site(made.variables, made.password, made.keys, (*made.notes, *found.notes), made.warnings)


def _text(path: Path) -> str:
    return read_bytes(path).decode("utf-8", "replace") if path.exists() else ""


def _write(path: Path, text: str) -> None:
    if not text:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, text)


def _write_secret(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = path.parent / ".gitignore"
    if not ignore.exists():
        replace(ignore, "*\n", 0o600)
    replace(path, text, 0o600)
