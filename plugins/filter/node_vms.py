# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleFilterError

from eyrie.errors import EyrieError
from eyrie.node_vms.model import as_mappings
from eyrie.node_vms.model import node_vms as checked

if TYPE_CHECKING:
    from collections.abc import Callable


def node_vms(nodes: Any, network: str, gateway: str, options: str) -> list[dict[str, Any]]:
    """Return the virtual machines of the wished nodes."""
    try:
        return as_mappings(checked(nodes, network, gateway, options))
    except EyrieError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What the role openmosix_vm needs of the core."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {"node_vms": node_vms}
