# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from eyrie.agent.config import parse
from eyrie.errors import EyrieError
from eyrie.guests.isolation import host_rules

if TYPE_CHECKING:
    from collections.abc import Callable


def agent_config_error(configuration: Any) -> str:
    """Return the sentence that says what is wrong with an agent configuration, or an empty one."""
    try:
        parse(json.dumps(configuration), "agent configuration")
    except EyrieError as error:
        return str(error)
    return ""


class FilterModule:
    """What the desktop's roles need of the core."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {"agent_config_error": agent_config_error, "guest_host_rules": host_rules}
