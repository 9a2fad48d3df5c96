# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from eyrie.engines.tokens import WantedToken
from eyrie.engines.user_tokens import People, parse, plan, read_command, write_command
from eyrie.errors import EyrieError


class ActionModule(ActionBase):  # type: ignore[misc]
    """Give the people of a master their tokens, without one ever leaving it."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _valid, given = self.validate_argument_spec(
            {
                "pool": {"type": "str", "required": True},
                "signing_key": {"type": "str", "required": True, "no_log": True},
                "submitters": {"type": "list", "elements": "str", "required": True},
                "admins": {"type": "list", "elements": "str", "default": []},
                "lifetime_days": {"type": "int", "required": True},
            }
        )
        people = People(frozenset(given["submitters"]), frozenset(given["admins"]))
        seconds = given["lifetime_days"] * 86400
        wanted = WantedToken(given["pool"], "", frozenset(), seconds, given["signing_key"])
        try:
            present = parse(self._sh(read_command(people), "read the tokens of the master's accounts"))
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error
        reasons = plan(present, people, wanted, time.time())
        if reasons and not self._task.check_mode:
            script = write_command(reasons, people, given["pool"], seconds)
            self._sh(script, "give the master's accounts their tokens")
        told = "".join(f"{name}: {reason}\n" for name, reason in reasons.items())
        result.update(changed=bool(reasons), user_tokens={"accounts": sorted(present), "renewed": reasons})
        result["diff"] = {"before": told, "after": ""} if reasons else {}
        return result

    def _sh(self, script: str, purpose: str) -> str:
        done = self._low_level_execute_command(script)
        if done["rc"] != 0:
            reason = done["stderr"].strip() or f"exit status {done['rc']}"
            raise AnsibleActionFail(f"Could not {purpose}: {reason}. Next: run it again when that is mended.")
        return str(done["stdout"])
