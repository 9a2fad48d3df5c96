# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie msi`: the agent for Windows desktops as one installable file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typer

from eyrie import __version__
from eyrie.artefacts.windows_files import PYTHON, windows_python
from eyrie.errors import EyrieError
from eyrie.msi import build as builder
from eyrie.msi import show as reader
from eyrie.msi.sign import Signer, sign
from eyrie.msi.version import parse

app = typer.Typer(no_args_is_help=True, help="Build the agent's MSI for Windows desktops and look into it.")
CACHE = Path("/var/cache/eyrie")


@app.command()
def build(
    output: Path = typer.Option(Path("eyrie-agent.msi"), "--output", "-o", help="The file to write."),
    version: str = typer.Option(
        __version__, help="Three numbers; a higher one upgrades, a lower is refused."
    ),
    python: str = typer.Option(PYTHON, help="Python of the agent; 3.8 for Windows 7."),
    url: str = typer.Option("", help="Your page about the pool, shown among the installed programs."),
    sign_cert: Path | None = typer.Option(None, help="Code-signing certificate and its chain, PEM."),
    sign_key: Path | None = typer.Option(None, help="Its key, PEM."),
    timestamp_url: str = typer.Option("", help="URL of a time stamping service (RFC 3161)."),
    cache: Path = typer.Option(CACHE, help="Where the Python for Windows is kept."),
) -> None:
    """Build the MSI; the same inputs give the same bytes. Print its path, size, hash and codes as JSON."""
    if (sign_cert is None) != (sign_key is None):
        raise EyrieError("signing", seen="one of --sign-cert and --sign-key", wanted="both, or none")
    if timestamp_url and sign_cert is None:
        raise EyrieError("--timestamp-url", seen="no --sign-cert", wanted="a signature to stamp")
    wanted = builder.package(
        parse(version),
        builder.read_python(windows_python(cache, python)),
        builder.agent_bundle(),
        url,
    )
    built = builder.build(wanted, output)
    if sign_cert and sign_key:
        sign(output, Signer(sign_cert, sign_key, timestamp_url))
    facts = reader.show(output)
    answer = {"path": str(output), "size": facts.size, "sha256": facts.sha256, "signed": facts.signed}
    typer.echo(json.dumps({**answer, "release": built.release, "product_code": built.product_code}))


@app.command()
def show(
    file: Path = typer.Argument(help="An MSI that `eyrie msi build` made."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Print who a package is and what is in it."""
    facts = reader.show(file)
    if as_json:
        typer.echo(json.dumps(asdict(facts)))
        return
    typer.echo(f"{file}: {facts.size} bytes, {'signed' if facts.signed else 'not signed'}")
    typer.echo(f"SHA-256 {facts.sha256}")
    typer.echo(f"package {facts.package_code}, release {facts.release}")
    for name, value in facts.properties.items():
        typer.echo(f"property {name} {value}")
    for name, size in facts.files:
        typer.echo(f"file {name} {size}")
