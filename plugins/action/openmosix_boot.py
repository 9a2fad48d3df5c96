# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.eyrie.pool.plugins.plugin_utils.node_drain import NodeDrainAction

from eyrie.errors import EyrieError
from eyrie.openmosix import boot, drain
from eyrie.openmosix.facts import NodeFacts

DRAIN_SECONDS = 60


class ActionModule(NodeDrainAction):
    """Have openMosix start at boot, and the firewall open between nodes."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.arguments(
            {
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                "networks": {"type": "list", "elements": "str", "default": []},
                "firewall": {"type": "bool", "default": True},
                "autodiscovery_interface": {"type": "str"},
                "facts": {"type": "str"},
            }
        )
        facts = self.known(arguments["facts"], task_vars or {})
        absent = arguments["state"] == "absent"
        todo = self._remove(facts) if absent else self._present(facts, arguments)
        after = "".join(f"{each}\n" for each in todo)
        result.update(changed=bool(todo), diff=self.diff("", after, "openMosix at boot"))
        result.update(openmosix_boot={"todo": list(todo), "run_levels": facts.run_levels})
        result["round_trips"] = self.round_trips
        return result

    def _present(self, facts: NodeFacts, arguments: dict[str, Any]) -> tuple[str, ...]:
        interface = arguments["autodiscovery_interface"] or None
        goal = boot.wanted(arguments["networks"], arguments["firewall"], interface)
        todo = boot.plan(facts, goal)
        if todo and not self._task.check_mode:
            emptied = facts.enabled and boot.starts_discovery(facts, goal)
            if emptied:
                self._empty(facts)
            self.sh(boot.apply_script(facts, goal), goal.text.encode("ascii"))
            if emptied and not facts.blocked:
                self.bring(self.read(), drain.resume, DRAIN_SECONDS)
        return todo

    def _empty(self, facts: NodeFacts) -> None:
        """openMosix is switched off before omdiscd starts: no process may be away or here then."""
        after = self.bring(facts, drain.drain, DRAIN_SECONDS)
        if not drain.drain(after).done:
            raise AnsibleActionFail(
                str(
                    EyrieError(
                        f"the node is not empty after {DRAIN_SECONDS} s",
                        seen="; ".join(drain.left(after)),
                        wanted="nothing here and nothing away before omdiscd takes over; it stays blocked",
                        next_step="let these processes end, then run this again",
                    )
                )
            )

    def _remove(self, facts: NodeFacts) -> tuple[str, ...]:
        if facts.init_md5 is None and not facts.links and facts.firewall != "open":
            return ()
        if not self._task.check_mode:
            self.sh(boot.remove_script(facts))
        return (f"remove {boot.INIT}",)
