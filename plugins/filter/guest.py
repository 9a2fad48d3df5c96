# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from eyrie.agent.config import LINUX, WINDOWS, parse
from eyrie.desktops.spec import as_on_a_desktop
from eyrie.errors import EyrieError
from eyrie.guests.isolation import host_rules

if TYPE_CHECKING:
    from collections.abc import Callable


def agent_config_error(configuration: Any, system: str = "linux") -> str:
    """Return the sentence that says what is wrong with an agent configuration, or an empty one."""
    try:
        text = json.dumps(as_on_a_desktop(configuration) if system == "windows" else configuration)
        parse(text, "agent configuration", WINDOWS if system == "windows" else LINUX)
    except EyrieError as error:
        return str(error)
    return ""


class FilterModule:
    """What the desktop's roles need of the core."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {"agent_config_error": agent_config_error, "guest_host_rules": host_rules}
