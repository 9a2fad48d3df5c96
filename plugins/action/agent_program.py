# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ansible_collections.eyrie.pool.plugins.plugin_utils.file_set import FileSetAction

from eyrie.agent import bundle
from eyrie.artefacts.file_set import File


class ActionModule(FileSetAction):
    """Build the agent's program from the installed package and bring it onto the desktop."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec({"dest": {"type": "path", "required": True}})
        with TemporaryDirectory(prefix="eyrie-agent-") as folder:
            program = bundle.write(Path(folder) / "eyrie-agent.pyz")
            result.update(self.bring({File(arguments["dest"], "0755", program.sha256): program.path}))
        result["agent_program"] = {"dest": arguments["dest"], "sha256": program.sha256}
        return result
