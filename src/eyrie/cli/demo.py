# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie demo`: show that the pool works."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from eyrie.demo.animation import animation
from eyrie.demo.picture import check_output
from eyrie.demo.pool import Pool
from eyrie.demo.remote import LabRemote, Remote, SshRemote
from eyrie.demo.render import render as render_on
from eyrie.demo.show import Screen, summary
from eyrie.errors import EyrieError

app = typer.Typer(no_args_is_help=True, help="Show that the pool works.")
INTERRUPTED = 130


@app.callback()
def _group() -> None:
    """Show that the pool works."""


@app.command()
def render(
    output: Annotated[Path, typer.Option(help="The animated PNG to write.")] = Path("render/eyrie.png"),
    frames: Annotated[int, typer.Option(help="Frames, one job each.")] = 12,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT of the picture.")] = "160x120",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for all frames.")] = 900,
    user: Annotated[str, typer.Option(help="Whose jobs they are, on the master; never root.")] = "researcher",
    lab: Annotated[Path, typer.Option(help="The lab's inventory.")] = Path("inventory/lab"),
    name: Annotated[
        str | None, typer.Option(envvar="EYRIE_LAB_NAME", help="The lab's name, if not the one in lab.yml.")
    ] = None,
    master: Annotated[
        str | None, typer.Option(help="A real site's master instead of the lab's, by ssh.")
    ] = None,
    ssh_option: Annotated[
        list[str] | None, typer.Option(help="Given to ssh as it is, e.g. '-o Port=2222'; may be repeated.")
    ] = None,
) -> None:
    """Render an animation with POV-Ray, one frame a job, on whichever desktops are idle."""
    what = animation(frames, size)
    if timeout <= 0:
        raise EyrieError(
            "--timeout", seen=timeout, wanted="seconds, more than 0", next_step="900 is the default"
        )
    if user == "root":
        raise EyrieError(
            "--user", seen=user, wanted="an ordinary user of the master", next_step="name another"
        )
    if ssh_option and not master:
        raise EyrieError(
            "--ssh-option", seen=ssh_option, wanted="--master as well", next_step="name the master"
        )
    check_output(output)
    remote: Remote = SshRemote(master, user, ssh_option or ()) if master else LabRemote(lab, name, user)
    console = Console()
    started = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console.print(
        f"Rendering {frames} frames of {size} on {remote.name}'s pool as {remote.user}",
        highlight=False,
        soft_wrap=True,
    )
    try:
        with Screen(console) as screen:
            told = render_on(Pool(remote), what, output, screen, timeout=timeout)
    except KeyboardInterrupt:
        console.print("Stopped; the jobs have been removed from the queue.", style="bold yellow")
        raise typer.Exit(INTERRUPTED) from None
    console.print(summary(told))
    console.print(
        f"[bold green]{output}[/]: {frames} frames in {time.monotonic() - started:.0f} s",
        highlight=False,
        soft_wrap=True,
    )
