# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from eyrie.errors import EyrieError
from eyrie.inventory.specs import RoleSpec, read_specs
from eyrie.inventory.validate import Host, problems

ROLES = Path(__file__).resolve().parents[2] / "roles"
# What the checks look at besides the roles' own variables.
CONNECTION = ("ansible_host", "ansible_port", "ansible_connection")


class ActionModule(ActionBase):
    """Read the inventory, let the core judge it, report."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        self.validate_argument_spec({})
        specs = read_specs(ROLES)
        known = {name for spec in specs.values() for name in spec.variables}
        hostvars = (task_vars or {})["hostvars"]
        hosts = [_host(hostvars, name, known) for name in sorted(hostvars)]
        found = [str(each) for each in problems(hosts, known, specs.keys())]
        found += [str(each) for host in hosts for each in _types(host, specs)]
        result.update(changed=False, problems=found)
        if found:
            result.update(failed=True, msg="\n".join(("The inventory cannot work:", *found)))
        return result


def _host(hostvars: Any, name: str, known: set[str]) -> Host:
    """Take what is known of a host now; a value that needs the host's facts is not."""
    raw = hostvars.raw_get(name)
    values = {}
    for variable in (known | set(CONNECTION)) & set(raw):
        try:
            values[variable] = hostvars[name][variable]
        except AnsibleError:
            continue
    return Host(name, frozenset(raw["group_names"]), frozenset(raw), values)


def _types(host: Host, specs: dict[str, RoleSpec]) -> list[EyrieError]:
    """Check the types, choices and required variables of the roles that the host is in the group of."""
    found = []
    for role in sorted(host.groups & specs.keys()):
        spec = specs[role].options
        given = {name: value for name, value in host.values.items() if name in spec}
        # A value that is not known yet must not count as missing.
        later = {
            name: {**option, "required": False}
            for name, option in spec.items()
            if name in host.variables - given.keys()
        }
        checked = ArgumentSpecValidator(_evaluated({**spec, **later})).validate(given)
        for message in checked.error_messages:
            found.append(
                EyrieError(
                    f"host {host.name}, role {role}: {message}", next_step="correct it in the inventory"
                )
            )
    return found


def _evaluated(options: dict[str, Any]) -> dict[str, Any]:
    """Leave out defaults that are expressions: only the role itself knows what becomes of them."""
    return {
        name: {key: value for key, value in option.items() if key != "default" or "{{" not in str(value)}
        for name, option in options.items()
    }
