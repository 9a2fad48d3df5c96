# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import shlex
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]
    """Run a POSIX sh script on a host in one round trip: no file, no terminal, no Python there."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            {
                "script": {"type": "str", "required": True},
                "arguments": {"type": "list", "elements": "str", "default": []},
            }
        )
        if self._task.check_mode:
            result.update(skipped=True, changed=False, msg="not run in check mode")
            return result
        words = "".join(f" {shlex.quote(each)}" for each in arguments["arguments"])
        done = self._low_level_execute_command(
            f"sh -s --{words}", in_data=f"{arguments['script']}\n".encode()
        )
        result.update(changed=True, rc=int(done["rc"]))
        for stream in ("stdout", "stderr"):
            result[stream] = str(done[stream])
            result[f"{stream}_lines"] = str(done[stream]).splitlines()
        if done["rc"] != 0:
            reason = (str(done["stderr"]) or str(done["stdout"])).strip()
            result.update(failed=True, msg=reason or f"the script ended with {done['rc']}")
        return result
