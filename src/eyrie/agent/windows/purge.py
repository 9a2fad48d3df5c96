# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes what the agent made: guest, firewall rules, everything below ProgramData; says what stays."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

from eyrie.agent.windows import client
from eyrie.agent.windows.lock import Lock
from eyrie.agent.windows.places import Places
from eyrie.agent.windows.records import forget_source
from eyrie.agent.windows.scm_values import NAME
from eyrie.errors import EyrieError

STOP_SECONDS = 130.0


def purge(places: Places) -> list[str]:
    """Remove all of it; return what could not be removed, and why."""
    problems = [*_stop_agent(places), *remove_rules()]
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
            with contextlib.suppress(OSError):  # a service that does not stop is told of below
                client.stop()
        time.sleep(0.5)


def remove_rules() -> list[str]:
    """Delete the guest's firewall rules."""
    from eyrie.guests.windows import firewall, firewall_system

    try:
        firewall_system.remove()
        left = firewall.plan(firewall_system.read().local, ()).remove
    except (OSError, EyrieError) as error:
        return [f"firewall rules stay: {error}"]
    return [f"the firewall rule {name} stays: netsh did not delete it" for name in left]


def remove_tree(folder: Path) -> list[str]:
    """Remove a folder and all in it; return what stays."""
    problems: list[str] = []

    def note(_function: object, path: str, info: tuple[object, BaseException, object]) -> None:
        problems.append(f"{path} stays: {getattr(info[1], 'strerror', '') or info[1]}")

    if folder.exists():
        shutil.rmtree(folder, onerror=note)
    return problems
