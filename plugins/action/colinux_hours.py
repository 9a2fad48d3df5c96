# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.eyrie.pool.plugins.plugin_utils.colinux_desktops import WINDOW, window
from ansible_collections.eyrie.pool.plugins.plugin_utils.desktop_prompt import Prompt

from eyrie.errors import EyrieError
from eyrie.guests.colinux import hours
from eyrie.guests.colinux.hours import Hours

SPEC: dict[str, Any] = {
    "busy_windows": {"type": "list", "elements": "dict", "options": WINDOW, "default": []},
    "service": {"type": "str", "default": "EyrieGuest"},
    "stop_minutes": {"type": "int", "default": 5},
    "drain_minutes": {"type": "int", "default": 5},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Read a desktop's tasks in one round trip, and change them in another one."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, given = self.validate_argument_spec(SPEC)
        host = str((task_vars or {}).get("inventory_hostname", "without a name"))
        prompt = Prompt(self._connection, reconnect_seconds=0)
        try:
            wanted = _wanted(given)
            before = hours.parse(prompt.run(hours.READ).out, host)
            commands = hours.lines(before, wanted.tasks)
            if commands and not self._task.check_mode:
                done = prompt.run(hours.write(commands))
                left = hours.lines(hours.parse(done.out, host), wanted.tasks)
                if left:
                    raise EyrieError(
                        f"tasks of desktop {host}",
                        seen=f"{done.err.strip()[-300:] or 'no complaint'}; still to do: {'; '.join(left)}",
                        wanted=", ".join(map(str, wanted.tasks)) or "none",
                        next_step="look whether the service Task Scheduler (Schedule) runs there",
                    )
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error
        result.update(changed=bool(commands), round_trips=prompt.round_trips)
        result["colinux_hours"] = {
            "tasks": [str(task) for task in wanted.tasks],
            "drain_cron": list(wanted.cron),
        }
        if self._task.diff and commands:
            after = "".join(f"{command}\n" for command in commands)
            headers = {"before_header": host, "after_header": f"{host}: tasks"}
            result["diff"] = {**headers, "before": "", "after": after}
        return result


def _wanted(given: dict[str, Any]) -> Hours:
    if given["state"] == "absent":
        return Hours((), ())
    busy = [window(each) for each in given["busy_windows"]]
    for name in ("stop_minutes", "drain_minutes"):
        if not 0 <= given[name] <= 240:
            raise EyrieError(name, seen=given[name], wanted="a number of minutes from 0 to 240")
    return hours.hours(busy, given["service"], given["stop_minutes"], given["drain_minutes"])
