# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from eyrie.errors import EyrieError
from eyrie.guests.image.folders import parse, plan, read_command, remove_command


class ActionModule(ActionBase):  # type: ignore[misc]
    """Remove the guest images that a desktop does not need any more."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            {"directory": {"type": "path", "required": True}, "keep": {"type": "str", "required": True}}
        )
        directory = arguments["directory"].rstrip("/")
        try:
            removed = plan(parse(self._sh(read_command(directory))), arguments["keep"])
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error
        if removed and not self._task.check_mode:
            self._sh(remove_command(directory, removed))
        lines = "".join(f"{directory}/{image_id}\n" for image_id in removed)
        result.update(changed=bool(removed), guest_images={"removed": list(removed)})
        result["diff"] = {"before": lines, "after": ""} if removed else {}
        return result

    def _sh(self, script: str) -> str:
        done = self._low_level_execute_command(script.strip())
        if done["rc"] != 0:
            reason = (done["stderr"] or done["stdout"]).strip() or f"exit status {done['rc']}"
            raise AnsibleActionFail(f"Could not look after the guest images: {reason}. Next: run it again.")
        return str(done["stdout"])
