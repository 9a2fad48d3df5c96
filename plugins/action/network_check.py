# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.eyrie.pool.plugins.plugin_utils import pool_network

from eyrie.errors import EyrieError
from eyrie.networks.check.answer import parse
from eyrie.networks.check.judge import judge


class ActionModule(ActionBase):  # type: ignore[misc]
    """Judge what all hosts answered; asks nobody itself."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        more = {
            "answers": {"type": "str", "required": True},
            "require_all": {"type": "bool", "default": False},
        }
        _valid, arguments = self.validate_argument_spec({**pool_network.WANTED, **pool_network.FILES, **more})
        variables = task_vars or {}
        try:
            done = pool_network.planned(arguments, variables)
            told = pool_network.told(arguments["hosts"], variables, arguments["answers"])
            answers = {
                host.name: parse(told[host.name], host.name) if host.name in told else None
                for host in done.hosts
            }
            verdict = judge(done, answers, int(time.time()))
        except (EyrieError, OSError) as error:
            raise AnsibleActionFail(str(error)) from error
        found = [str(each) for each in verdict.findings]
        result.update(
            changed=False,
            network_check={
                "mode": done.mode,
                "matrix": verdict.matrix,
                "findings": found,
                "unreachable": list(verdict.unreachable),
                "wire": {name: answer.counters for name, answer in answers.items() if answer},
                "answers": {name: asdict(answer)["reach"] for name, answer in answers.items() if answer},
            },
        )
        if verdict.unreachable and (arguments["require_all"] or len(verdict.unreachable) == len(answers)):
            found = [*found, f"Not reached: {', '.join(verdict.unreachable)}"]
        if found:
            result.update(failed=True, msg="\n".join(("The pool's network is not as planned:", *found)))
        return result
