# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.eyrie.pool.plugins.plugin_utils import pool_members

from eyrie.errors import EyrieError
from eyrie.nodetable import NumberPlan, plan, read_subnets, render
from eyrie.nodetable.state import State, dump, load, write
from eyrie.openmosix import change
from eyrie.openmosix.change import trusted


class ActionModule(ActionBase):  # type: ignore[misc]
    """Number the pool's nodes on the control host, and judge the table for every one of them."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            {
                "subnets": {"type": "list", "elements": "dict", "required": True},
                "nodes": {"type": "list", "elements": "str", "required": True},
                "numbers_file": {"type": "path", "required": True},
                "facts": {"type": "str"},
                "new": {"type": "bool", "default": False},
            }
        )
        path = Path(arguments["numbers_file"])
        hostvars = (task_vars or {})["hostvars"]
        try:
            state = load(path.read_bytes(), path.name) if path.exists() else None
            addresses = pool_members.addresses(hostvars, arguments["nodes"])
            planned = _plan(arguments, hostvars, addresses, state)
            numbers = _judged(planned, addresses, arguments["subnets"])
            changed = state is None or dump(state) != dump(planned.state)
            if changed and not self._task.check_mode:
                write(path, planned.state)
        except (EyrieError, OSError) as error:
            raise AnsibleActionFail(f"The pool's node table cannot be: {error}") from error
        effect = planned.effect
        result.update(
            changed=changed,
            node_numbers={
                "table": render(planned.table),
                "numbers": numbers,
                "effect": effect.summary,
                "restarts": list(effect.restarts),
                "notes": list(planned.notes),
            },
            diff={
                "before_header": path.name,
                "after_header": path.name,
                "before": dump(state) if state else "",
                "after": dump(planned.state),
            }
            if changed
            else {},
        )
        return result


def _plan(
    arguments: dict[str, Any], hostvars: Any, addresses: dict[str, str], state: State | None
) -> NumberPlan:
    variable = arguments["facts"]
    told = pool_members.registered(hostvars, addresses, variable) if variable else ()
    deployed = {name: facts.table for name, facts in told if facts is not None and facts.table is not None}
    deployed = trusted(deployed, state)
    return plan(read_subnets(arguments["subnets"]), addresses, state, deployed=deployed, new=arguments["new"])


def _judged(planned: NumberPlan, addresses: dict[str, str], subnets: list[Any]) -> dict[str, int]:
    """Judge the table for every node, up or down: no node is written to before all could be."""
    networks = [each.network for each in read_subnets(subnets)]
    text = render(planned.table)
    return {
        name: change.wanted(text, address, f"table for {name}", networks).number
        for name, address in addresses.items()
    }
