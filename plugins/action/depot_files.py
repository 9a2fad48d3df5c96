# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import shlex
from pathlib import Path, PurePosixPath
from typing import Any

from ansible_collections.eyrie.pool.plugins.plugin_utils.file_set import FileSetAction

from eyrie.artefacts.file_set import File


class ActionModule(FileSetAction):
    """Publish files by their hash's name, and take those back that are no longer published."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            {
                "directory": {"type": "path", "required": True},
                "files": {"type": "list", "elements": "dict", "required": True, "options": FILE},
            }
        )
        folder = PurePosixPath(arguments["directory"])
        files = {
            File(str(folder / each["name"]), "0644", each["sha256"]): Path(each["path"])
            for each in arguments["files"]
        }
        result.update(self.bring(files))
        gone = self._others(folder, {PurePosixPath(file.dest).name for file in files})
        if gone:
            result["changed"] = True
            result["diff"] = {"before": "".join(f"{name}\n" for name in gone), "after": "", **result["diff"]}
            if not self._task.check_mode:
                paths = " ".join(shlex.quote(str(folder / name)) for name in gone)
                self.command(f"rm -f -- {paths}", "remove files that are no longer published")
        result["depot_files"] = sorted(file.dest for file in files)
        return result

    def _others(self, folder: PurePosixPath, wanted: set[str]) -> list[str]:
        """List what is published there and not wanted; a folder that is not there yet publishes nothing."""
        where = shlex.quote(str(folder))
        there = self.command(f"[ ! -d {where} ] || ls -1 -- {where}", "list the files that are there")
        return sorted(set(there.splitlines()) - wanted)


FILE = {
    "path": {"type": "path", "required": True},
    "name": {"type": "str", "required": True},
    "sha256": {"type": "str", "required": True},
    "size": {"type": "int"},
    "version": {"type": "str"},
    "release": {"type": "str"},
    "product_code": {"type": "str"},
    "image_id": {"type": "str"},
}
