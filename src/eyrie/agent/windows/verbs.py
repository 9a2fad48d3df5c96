# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs that only the agent of a Windows desktop has."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

PIPE = r"\\.\pipe\eyrie-agent"


def add(commands: Any) -> None:
    """Add them to a parser's commands; nothing is loaded that the verb at hand does not need."""
    for name, command, text in (
        ("run", _run, "be the agent, in the foreground"),
        ("service", _service, "be the agent (the service manager starts this)"),
    ):
        sub = commands.add_parser(name, help=text)
        sub.add_argument("--data", type=Path, help=r"instead of %%ProgramData%%\Eyrie")
        sub.add_argument("--pipe", default=PIPE)
        sub.set_defaults(command=command)

    watch = commands.add_parser("watch", help="report when a session was last used (the agent starts this)")
    watch.add_argument("--pipe", required=True)
    watch.add_argument("--needed", type=float, default=0.0, help="seconds without input that a guest needs")
    watch.set_defaults(command=_watch)

    purge = commands.add_parser(
        "purge", help="remove what the agent made on this desktop (uninstall runs this)"
    )
    purge.add_argument("--data", type=Path, help=r"instead of %%ProgramData%%\Eyrie")
    purge.set_defaults(command=_purge)


def _run(options: argparse.Namespace) -> int:
    from eyrie.agent.windows.start import run, wanted

    run(wanted(options.data, options.pipe))
    return 0


def _service(options: argparse.Namespace) -> int:
    from eyrie.agent.windows.start import service, wanted

    return service(wanted(options.data, options.pipe))


def _watch(options: argparse.Namespace) -> int:
    from eyrie.agent.windows.watcher import watch

    return watch(options.pipe, options.needed)


def _purge(options: argparse.Namespace) -> int:
    from eyrie.agent.windows.places import Places, default_data
    from eyrie.agent.windows.purge import purge

    problems = purge(Places(options.data or default_data()))
    for problem in problems:
        sys.stderr.write(f"eyrie agent: {problem}\n")
    return 1 if problems else 0
