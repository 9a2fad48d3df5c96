# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ansible_collections.eyrie.pool.plugins.plugin_utils.file_set import FileSetAction

from eyrie.artefacts.file_set import File
from eyrie.hub.bundle import program


class ActionModule(FileSetAction):
    """Build the hub's program from the installed package and bring it onto the master."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec({"dest": {"type": "path", "required": True}})
        data = program()
        digest = hashlib.sha256(data).hexdigest()
        with TemporaryDirectory(prefix="eyrie-hub-") as folder:
            source = Path(folder) / "eyrie-hub.pyz"
            source.write_bytes(data)
            result.update(self.bring({File(arguments["dest"], "0755", digest): source}))
        result["hub_program"] = {"dest": arguments["dest"], "sha256": digest}
        return result
