# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleActionFail
from ansible_collections.eyrie.pool.plugins.plugin_utils.node_action import Done, NodeAction

from eyrie.errors import EyrieError
from eyrie.openmosix import drain
from eyrie.openmosix.facts import NodeFacts
from eyrie.openmosix.read import parse, pinned, read_script

if TYPE_CHECKING:
    from collections.abc import Callable

STRETCH_SECONDS = 5
"""The node waits by itself for so long before it answers."""


class NodeDrainAction(NodeAction):
    """Base of actions that read an openMosix node and may have to empty it."""

    def attempt(self, script: str, stdin: bytes | None = None) -> Done:
        """Run a script on the node itself: without this its kernel may move even the manager's shell."""
        return super().attempt(pinned(script), stdin)

    def read(self, script: str = "", stdin: bytes | None = None) -> NodeFacts:
        """Run a script that ends with reading the node, in one round trip."""
        return self.parsed(self.sh(script or read_script(), stdin))

    def known(self, variable: str | None, task_vars: dict[str, Any]) -> NodeFacts:
        """Return what a task registered for this node, so that it need not be asked again; else ask."""
        values = task_vars.get(variable) if variable else None
        return NodeFacts.from_dict(values["openmosix"]) if values and "openmosix" in values else self.read()

    @staticmethod
    def parsed(output: str) -> NodeFacts:
        try:
            return parse(output)
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error

    def bring(
        self, facts: NodeFacts, decide: Callable[[NodeFacts], drain.Move], deadline_seconds: int
    ) -> NodeFacts:
        """Give the node's commands until there are none left, or the time is over; return how it is then."""
        end = time.monotonic() + deadline_seconds
        while not (move := decide(facts)).done and (remaining := end - time.monotonic()) > 0:
            wait = 0 if decide is drain.resume else min(STRETCH_SECONDS, max(1, int(remaining)))
            facts = self.read(drain.script(move, wait))
        return facts

    def arguments(self, spec: dict[str, Any]) -> dict[str, Any]:
        _valid, arguments = self.validate_argument_spec(spec)
        return dict(arguments)
