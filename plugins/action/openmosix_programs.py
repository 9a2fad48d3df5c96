# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.eyrie.pool.plugins.plugin_utils.node_drain import NodeDrainAction

from eyrie.openmosix.tools import build_script, install_script


class ActionModule(NodeDrainAction):
    """Bring the openMosix tools onto a node that has another version, or none."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.arguments(
            {
                "src": {"type": "path", "required": True},
                "sha256": {"type": "str", "required": True},
                "version": {"type": "str", "required": True},
                "build_command": {"type": "str"},
                "facts": {"type": "str"},
            }
        )
        facts = self.known(arguments["facts"], task_vars or {})
        version = arguments["version"]
        changed = facts.tools != version
        if changed:
            data = _verified(self._find_needle("files", arguments["src"]), arguments["sha256"])
            if not self._task.check_mode:
                compressed = data[:2] == b"\x1f\x8b"
                command = arguments["build_command"]
                script = (
                    build_script(version, compressed, command)
                    if command
                    else install_script(version, compressed)
                )
                self.sh(script, data)
        result.update(changed=changed, openmosix_programs={"version": version})
        result["diff"] = self.diff(f"{facts.tools or 'none'}\n", f"{version}\n", "openMosix tools")
        result["round_trips"] = self.round_trips
        return result


def _verified(path: str, sha256: str) -> bytes:
    """Read the archive; one with another hash never reaches a node."""
    data = Path(path).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256.lower():
        raise AnsibleActionFail(f"{path}: found SHA-256 {found}, wanted {sha256}. The node is not touched.")
    return data
