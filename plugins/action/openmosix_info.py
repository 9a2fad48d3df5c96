# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
from typing import Any

from ansible_collections.eyrie.pool.plugins.plugin_utils.node_drain import NodeDrainAction

from eyrie.openmosix.apply import read_when_up
from eyrie.openmosix.facts import NodeFacts


class ActionModule(NodeDrainAction):
    """Ask a node for everything in one round trip."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.arguments(
            {
                "peers": {"type": "list", "elements": "int", "default": []},
                "wait_seconds": {"type": "int", "default": 0},
            }
        )
        facts = self._read_when_up(arguments["peers"], arguments["wait_seconds"])
        result.update(changed=False, openmosix=facts.as_dict(), round_trips=self.round_trips)
        return result

    def _read_when_up(self, peers: list[int], seconds: int) -> NodeFacts:
        """Read the node once its peers are up; one lost between waiting and reading is waited for again."""
        end = time.monotonic() + seconds
        facts = self.read(read_when_up(peers, seconds, peers))
        while not facts.up.issuperset(peers) and (left := int(end - time.monotonic())) > 0:
            facts = self.read(read_when_up(peers, left, peers))
        return facts
