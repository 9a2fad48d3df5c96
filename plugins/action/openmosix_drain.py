# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.eyrie.pool.plugins.plugin_utils.node_drain import NodeDrainAction

from eyrie.openmosix import drain
from eyrie.openmosix.facts import NodeFacts

DECIDE = {"drained": drain.drain, "active": drain.resume}


class ActionModule(NodeDrainAction):
    """Empty a node, or let processes come and go again."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.arguments(
            {
                "state": {"type": "str", "choices": list(DECIDE), "required": True},
                "deadline_seconds": {"type": "int", "default": 60},
            }
        )
        decide = DECIDE[arguments["state"]]
        before = after = self.read()
        changed = not decide(before).done
        if changed and not self._task.check_mode:
            after = self.bring(before, decide, arguments["deadline_seconds"])
            if not decide(after).done:
                result.update(failed=True, msg=_reason(after, arguments))
        wanted = _wanted(after, arguments["state"]) if self._task.check_mode else drain.state_text(after)
        result.update(changed=changed, openmosix=after.as_dict(), left=drain.left(after))
        result.update(diff=self.diff(drain.state_text(before), wanted, "openMosix"))
        result.update(round_trips=self.round_trips)
        return result


def _wanted(facts: NodeFacts, state: str) -> str:
    """Return the state there would be."""
    if not facts.enabled and state == "drained":
        return drain.state_text(facts)
    closed = int(state == "drained")
    kept = [] if closed else drain.left(facts)
    return "\n".join((f"block: {closed}", f"lstay: {closed}", *kept)) + "\n"


def _reason(facts: NodeFacts, arguments: dict[str, Any]) -> str:
    """Name what is in the way, and say in what state the node stays."""
    left = drain.left(facts)
    what = "; ".join(left) or "the node did not take block or lstay"
    return (
        f"The node is not {arguments['state']} after {arguments['deadline_seconds']} s: {what}. It stays"
        " blocked, so that nothing new comes meanwhile. Next: let these processes end, or bring the node they"
        " wait for back, then run this again; openmosix_drain with state active opens the node again."
    )
