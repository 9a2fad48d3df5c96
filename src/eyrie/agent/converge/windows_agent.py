# SPDX-License-Identifier: GPL-3.0-or-later
"""What converging needs of the agent's other parts on Windows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyrie.agent.converge.apply import Place
from eyrie.agent.converge.windows_service import WindowsService
from eyrie.agent.windows.asking import PIPE, ask
from eyrie.agent.windows.places import Places, default_data
from eyrie.agent.windows.wts import sessions as all_sessions
from eyrie.errors import EyrieError

if TYPE_CHECKING:
    from eyrie.guests.windows.firewall import Changes

AS_WANTED = "as wanted"


def windows_place() -> Place:
    """Return where things are on a Windows desktop."""
    return Place(default_data(), WindowsFirewall(), lambda path: Places(path).prepare(), WindowsService())


class WindowsFirewall:
    """The rules that keep QEMU to the master's pool port; none where there is no QEMU."""

    def look(self, configuration: str) -> tuple[str, str]:
        """Return what has to go and what has to come, by the rules' names."""
        changes = _changes(configuration)
        if not changes.remove and not changes.add:
            return AS_WANTED, AS_WANTED
        return ", ".join(changes.remove) or "absent", ", ".join(rule.name for rule in changes.add) or "absent"

    def write(self, configuration: str) -> None:
        """Change the rules."""
        from eyrie.guests.windows import firewall_system

        firewall_system.apply(_changes(configuration))


def _changes(configuration: str) -> Changes:
    from eyrie.guests.windows import firewall_system

    wanted = json.loads(configuration)
    guest, pool = wanted["guest"], wanted["pool"]
    # Frames of a guest of coLinux never pass Windows' firewall: no rule would hold it.
    return firewall_system.planned(guest.get("program", ""), pool["master"], pool["port"])


def sessions() -> list[dict[str, Any]]:
    """Return who is logged in; a session whose lock is not known counts as not locked."""
    try:
        found = all_sessions()
    except (OSError, ValueError):
        return [{"id": 0, "state": "active", "user": "not known", "locked": False, "remote": False}]
    return [
        {
            "id": each.id,
            "state": each.state,
            "user": each.user,
            "locked": bool(each.locked),
            "remote": each.remote,
        }
        for each in found
    ]


def state() -> str:
    """Return the state that the agent's service tells; `absent` if none answers."""
    try:
        return str(ask(Path(PIPE), "status", 2.0)["state"])
    except EyrieError:
        return "absent"
