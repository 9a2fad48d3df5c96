# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes what the agent made: guest, firewall rules, everything below ProgramData; says what stays."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Callable, Sequence

from eyrie.agent.windows.lock import Lock
from eyrie.agent.windows.places import Places
from eyrie.agent.windows.records import forget_source
from eyrie.agent.windows.scm import NAME
from eyrie.errors import EyrieError

RULES = "Eyrie guest"
STOP_SECONDS = 90.0
PROGRAM_SECONDS = 60.0
NETSH = ("netsh.exe", "advfirewall", "firewall")
# Whatever the label is in this Windows' language, the rule's name is what follows it.
_NAMED = re.compile(rf"^[^:\r\n]+:\s+({re.escape(RULES)}.*?)\s*$", re.MULTILINE)

Run = Callable[[Sequence[str]], str]


def purge(places: Places) -> list[str]:
    """Remove all of it; return what could not be removed, and why."""
    problems = [*_stop_agent(places), *remove_rules(run)]
    if problems:  # a running agent would write it all anew, and its guest must stay fenced in
        return problems
    try:
        forget_source()
    except OSError as error:
        problems.append(f"the event log's source {NAME} stays: {error}")
    return problems + remove_tree(places.data)


def _stop_agent(places: Places) -> list[str]:
    """Make sure that no agent runs: with it ends its guest, whose job object it holds."""
    if not places.run.is_dir():
        return []
    until, asked = time.monotonic() + STOP_SECONDS, False
    while True:
        try:
            Lock(places.lock).release()
            return []
        except EyrieError as error:
            if time.monotonic() >= until:
                return [f"the agent still runs: {error}"]
        if not asked:
            asked = True
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):  # the wait tells
                run(["sc.exe", "stop", NAME])
        time.sleep(0.5)


def remove_rules(command: Run) -> list[str]:
    """Delete the guest's firewall rules, each by its name."""
    try:
        for name in rule_names(command([*NETSH, "show", "rule", "name=all"])):
            command([*NETSH, "delete", "rule", f"name={name}"])
        left = rule_names(command([*NETSH, "show", "rule", "name=all"]))
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"firewall rules may stay: netsh cannot be run ({error})"]
    return [f"the firewall rule {name} stays: netsh did not delete it" for name in left]


def rule_names(listing: str) -> list[str]:
    """Return the names of our rules in netsh's listing, in any language, each once."""
    return list(dict.fromkeys(_NAMED.findall(listing)))


def run(words: Sequence[str]) -> str:
    """Run a program of Windows' own and return what it says."""
    system = Path(os.environ.get("SystemRoot") or r"C:\Windows") / "System32"  # noqa: SIM112 - as Windows has it
    done = subprocess.run(
        [str(system / words[0]), *words[1:]],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=PROGRAM_SECONDS,
        check=False,
        creationflags=0x08000000,  # no window
    )
    return done.stdout.decode("utf-8", "replace")


def remove_tree(folder: Path) -> list[str]:
    """Remove a folder and all in it; return what stays."""
    problems: list[str] = []

    def note(_function: object, path: str, info: tuple[object, BaseException, object]) -> None:
        problems.append(f"{path} stays: {getattr(info[1], 'strerror', '') or info[1]}")

    if folder.exists():
        shutil.rmtree(folder, onerror=note)
    return problems
