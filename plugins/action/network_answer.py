# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import shlex
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.eyrie.pool.plugins.plugin_utils import pool_network

from eyrie.errors import EyrieError
from eyrie.networks.check import script


class ActionModule(ActionBase):  # type: ignore[misc]
    """Ask one host how it reaches the others, in one round trip."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec({**pool_network.WANTED, **pool_network.FILES})
        variables = task_vars or {}
        name = variables["inventory_hostname"]
        try:
            done = pool_network.planned(arguments, variables)
            if name not in done.by_name:
                raise EyrieError(f"host {name}", seen="not in the pool's network", wanted="one of its hosts")
            host = done.by_name[name]
            text = script.for_kind(host, pool_network.targets(done, name))
        except (EyrieError, OSError) as error:
            raise AnsibleActionFail(str(error)) from error
        said = self._low_level_execute_command(f"sh -c {shlex.quote(text)}")
        result.update(changed=False, rc=int(said["rc"]), stdout=str(said["stdout"]))
        if said["rc"] != 0:
            reason = str(said["stderr"]).strip() or said["rc"]
            result.update(failed=True, msg=f"{name} could not be asked: {reason}")
        return result
