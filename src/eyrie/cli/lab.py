# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie lab`: an office in a box on this machine."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from eyrie.lab import Lab, report
from eyrie.lab.impair import Impairment
from eyrie.lab.lab import remove
from eyrie.lab.paths import Paths
from eyrie.lab.progress import Lines
from eyrie.lab.windows.session import NOBODY, parse

app = typer.Typer(no_args_is_help=True, help="An office in a box on this machine.")

Directory = Annotated[Path, typer.Option("--lab", help="Directory that holds lab.yml.")]
Name = Annotated[
    str | None,
    typer.Option("--name", envvar="EYRIE_LAB_NAME", help="Name of the lab, instead of the one in lab.yml."),
]
HostName = Annotated[str, typer.Argument(metavar="HOST")]
DEFAULT = Path("inventory/lab")


def _load(directory: Path, name: str | None) -> Lab:
    return Lab.load(directory, name, Lines())


@app.command()
def up(directory: Directory = DEFAULT, name: Name = None) -> None:
    """Bring the office up; run again, it goes on where it was interrupted."""
    lab = _load(directory, name)
    try:
        lab.up()
    except KeyboardInterrupt:
        Lines().note("interrupted: `eyrie lab up` goes on from here, `eyrie lab down` removes what is there")
        raise typer.Exit(130) from None
    report.hosts(lab)


@app.command()
def down(directory: Directory = DEFAULT, name: Name = None) -> None:
    """Remove the office: namespaces, mounts, processes, directories. Cached images and packages stay."""
    remove(Paths(name) if name else _load(directory, None).paths, Lines())


@app.command()
def status(directory: Directory = DEFAULT, name: Name = None) -> None:
    """Show the hosts, and the pool if there is one."""
    lab = _load(directory, name)
    report.hosts(lab)
    report.pool(lab)


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def shell(
    host: HostName,
    command: Annotated[list[str] | None, typer.Argument(metavar="[CMD...]")] = None,
    directory: Directory = DEFAULT,
    name: Name = None,
    user: Annotated[str, typer.Option(help="Who to be there.")] = "root",
) -> None:
    """Open a shell on a host, or run a command there."""
    lab = _load(directory, name)
    words = command[1:] if command and command[0] == "--" else command or []
    if lab.host(host).is_windows:
        raise typer.Exit(lab.cmd(host, " ".join(words) or "cmd"))
    argv = lab.ssh(host, user, shared=False)
    if words:  # a single word may be a whole line for the remote shell, as with ssh
        argv += ["--", words[0] if len(words) == 1 else shlex.join(words)]
    os.execvp(argv[0], argv)  # noqa: S606 # ssh takes over this terminal


@app.command()
def owner(
    host: HostName,
    seconds: Annotated[float, typer.Option("--for", min=0, help="Seconds at work.")] = 0,
    directory: Directory = DEFAULT,
    name: Name = None,
) -> None:
    """Let the owner of a desktop type on a real terminal of it: at once, and on for a while."""
    lab = _load(directory, name)
    with lab.progress.step(f"the owner of {host} types"):
        lab.touch(host, seconds)


@app.command("power-cut")
def power_cut(host: HostName, directory: Directory = DEFAULT, name: Name = None) -> None:
    """Cut a host's power: no goodbye reaches the others."""
    _load(directory, name).power_cut(host)


@app.command("power-off")
def power_off(host: HostName, directory: Directory = DEFAULT, name: Name = None) -> None:
    """Shut a Windows desktop down, its services first."""
    _load(directory, name).power_off(host)


@app.command("sessions")
def sessions(
    host: HostName,
    session: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SESSION...]", help="Each `ID STATE USER LOCK PLACE`; none: nobody."),
    ] = None,
    directory: Directory = DEFAULT,
    name: Name = None,
) -> None:
    """Say who is logged in on a Windows desktop, such as `1 active owner locked console`; none: nobody."""
    _load(directory, name).sessions(host, [parse(each) for each in session or []] or NOBODY)


@app.command("supply")
def supply(
    host: HostName,
    source: Annotated[str, typer.Argument(help="mains, battery, or none (no battery at all).")],
    directory: Directory = DEFAULT,
    name: Name = None,
) -> None:
    """Let a Windows desktop run on mains or on its battery."""
    _load(directory, name).supply(host, source)


@app.command("power-on")
def power_on(host: HostName, directory: Directory = DEFAULT, name: Name = None) -> None:
    """Switch a host on again, with the disk it had."""
    _load(directory, name).power_on(host)


@app.command()
def capture(
    subnet: Annotated[str, typer.Argument(metavar="SUBNET")],
    file: Annotated[Path, typer.Argument(help="Written in the format of tcpdump and Wireshark.")],
    directory: Directory = DEFAULT,
    name: Name = None,
    seconds: Annotated[float, typer.Option("--for", min=0, help="Seconds to listen.")] = 10,
) -> None:
    """Write down what goes over a subnet's wire, seen on the router."""
    lab = _load(directory, name)
    with lab.progress.step(f"what goes over the wire of {subnet}"):
        count = lab.capture(subnet, file, seconds)
    typer.echo(f"{file}: {count} frames")


@app.command()
def impair(
    drop: Annotated[
        list[str] | None,
        typer.Option(help="Drop ipip, esp, icmp, fragments, too-big, udp/PORT or tcp/PORT; may be repeated."),
    ] = None,
    delay: Annotated[float, typer.Option(help="Milliseconds.")] = 0,
    loss: Annotated[float, typer.Option(help="Percent of the packets.")] = 0,
    reorder: Annotated[float, typer.Option(help="Percent that overtake the delayed ones.")] = 0,
    directory: Directory = DEFAULT,
    name: Name = None,
) -> None:
    """Let the router drop, delay, lose or reorder packets between subnets; without options, no more."""
    _load(directory, name).impair(Impairment(tuple(drop or ()), delay, loss, reorder))
