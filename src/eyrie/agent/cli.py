# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie agent`: run the agent of this desktop, ask it, pause it; with the standard library alone."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from pathlib import Path
from typing import Any, Callable, Sequence

from eyrie.errors import EyrieError

WINDOWS = os.name == "nt"
SOCKET = Path(r"\\.\pipe\eyrie-agent" if WINDOWS else "/run/eyrie/agent.sock")
FAILED = 3  # exit status: the agent answered that something is wrong; 1 is no answer, 2 a wrong command line


def main(argv: Sequence[str]) -> int:
    """Run one command; an EyrieError becomes one sentence on stderr and status 1."""
    if WINDOWS:
        _print_anything()
    words = list(argv[1:] if argv[:1] == ["agent"] else argv)
    options = _parser().parse_args(words)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except EyrieError as error:
        print(f"eyrie agent: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 141


def _print_anything() -> None:
    """Let no name of a user end a command: a pipe's code page may not know its letters."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="eyrie agent", description="The agent of this desktop.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    if WINDOWS:
        from eyrie.agent.windows.verbs import add

        add(commands)
    else:
        _add_run(commands)

    for name, command, text in (
        ("status", _status, "show what this desktop does for the pool, and did"),
        ("why", _why, "say why this desktop is not in the pool, and what would change that"),
        ("pause", _pause, "leave this desktop out of the pool until `resume`"),
        ("resume", _resume, "let this desktop serve the pool again"),
    ):
        sub = commands.add_parser(name, help=text)
        sub.add_argument("--socket", type=Path, default=SOCKET)
        sub.set_defaults(command=command)
        if command is _status:
            sub.add_argument("--json", action="store_true", help="for programs")

    facts = commands.add_parser("facts", help="print what this desktop is, as JSON")
    facts.set_defaults(command=_facts)

    converge = commands.add_parser("converge", help="bring this desktop to the JSON spec on standard input")
    converge.add_argument("--check", action="store_true", help="only tell what would change")
    converge.set_defaults(command=_converge)

    check = commands.add_parser("check-config", help="check a configuration and say what is wrong with it")
    check.add_argument("file", type=Path)
    check.set_defaults(command=_check_config)

    bundle = commands.add_parser("bundle", help="pack the agent into the one file that desktops run")
    bundle.add_argument("--output", type=Path, required=True)
    bundle.set_defaults(command=_bundle)
    return parser


def _add_run(commands: Any) -> None:
    run = commands.add_parser("run", help="be the agent (systemd starts this)")
    run.add_argument("--config", type=Path, default=Path("/etc/eyrie/agent.json"))
    run.add_argument("--state-dir", type=Path, default=Path("/var/lib/eyrie/agent"))
    run.add_argument("--run-dir", type=Path, default=Path("/run/eyrie"))
    run.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    from eyrie.agent.start import start

    start(options.config, options.state_dir, options.run_dir)
    return 0


def _asker() -> Callable[[Path, str], dict[str, Any]]:
    """Return the way to put a question to this desktop's agent."""
    if WINDOWS:
        from eyrie.agent.windows.asking import ask as through_pipe

        return through_pipe
    from eyrie.agent.control import ask

    return ask


def _status(options: argparse.Namespace) -> int:
    from eyrie.agent.status import page

    answer = _asker()(options.socket, "status")
    print(json.dumps(answer, indent=1, sort_keys=True) if options.json else page(answer))
    return FAILED if answer["state"] == "failed" else 0


def _why(options: argparse.Namespace) -> int:
    from eyrie.agent.why import explain

    print(explain(_asker()(options.socket, "status")))
    return 0


def _pause(options: argparse.Namespace) -> int:
    answer = _asker()(options.socket, "pause")
    print(f"This desktop is left out of the pool: {answer['paused']}.")
    if not answer["kept"]:
        print(f"It holds until the agent restarts only: {answer['problem']}.", file=sys.stderr)
        return 1
    return 0


def _resume(options: argparse.Namespace) -> int:
    resumed = _asker()(options.socket, "resume")["resumed"]
    print("This desktop may serve the pool again." if resumed else "This desktop was not paused.")
    return 0


def _facts(_options: argparse.Namespace) -> int:
    from eyrie.agent.converge.command import facts_command

    return facts_command()


def _converge(options: argparse.Namespace) -> int:
    from eyrie.agent.converge.command import converge_command

    return converge_command(check=options.check)


def _check_config(options: argparse.Namespace) -> int:
    from eyrie.agent.config import load

    config = load(options.file)
    print(f"{options.file} is good: {config.name} joins {config.pool.name} at {config.pool.master}.")
    return 0


def _bundle(options: argparse.Namespace) -> int:
    from eyrie.agent.bundle import write

    result = write(options.output)
    print(f"{'built' if result.changed else 'unchanged'} {result.path} sha256:{result.sha256}")
    return 0
