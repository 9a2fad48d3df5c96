# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops the agent's service through the service manager, as `sc stop` would; needs an administrator."""

from __future__ import annotations

from eyrie.agent.windows import services
from eyrie.agent.windows.api import code
from eyrie.agent.windows.scm_values import NAME, STOP


def stop() -> bool:
    """Ask the service to stop; False if there is none, or it does not run."""
    try:
        with services.opened(NAME, services.STOP) as service:
            services.control(service, STOP)
    except OSError as error:
        if code(error) in (services.NOT_INSTALLED, services.NOT_ACTIVE):
            return False
        raise
    return True
