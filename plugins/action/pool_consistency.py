# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.eyrie.pool.plugins.plugin_utils import pool_members

from eyrie.errors import EyrieError
from eyrie.nodetable import digest, parse
from eyrie.openmosix.consistency import Member, compare


class ActionModule(ActionBase):  # type: ignore[misc]
    """Compare what all nodes of a pool said; asks nobody itself."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            {
                "nodes": {"type": "list", "elements": "str", "required": True},
                "facts": {"type": "str", "required": True},
                "table": {"type": "str", "required": True},
                "autodiscovery": {"type": "bool", "default": False},
                "require_all": {"type": "bool", "default": False},
            }
        )
        hostvars = (task_vars or {})["hostvars"]
        try:
            table = parse(arguments["table"], "table")
            addresses = pool_members.addresses(hostvars, arguments["nodes"])
            told = pool_members.registered(hostvars, addresses, arguments["facts"])
            members = [Member(name, addresses[name], facts) for name, facts in told]
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error
        report = compare(members, table, autodiscovery=arguments["autodiscovery"])
        found = [str(each) for each in report.findings]
        result.update(
            changed=False,
            pool_consistency={
                "compared": report.compared,
                "findings": found,
                "unreachable": list(report.unreachable),
                "table_sha256": digest(table),
            },
        )
        if report.unreachable and arguments["require_all"]:
            found.append(f"Not reached: {', '.join(report.unreachable)}")
        if found:
            result.update(failed=True, msg="\n".join(("The nodes of the pool differ:", *found)))
        return result
