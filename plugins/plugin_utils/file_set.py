# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from eyrie.artefacts.file_set import File, install_command, parse, plan, read_command

if TYPE_CHECKING:
    from collections.abc import Mapping


class FileSetAction(ActionBase):  # type: ignore[misc]
    """Base of actions that bring a set of files onto a host: one round trip where nothing is to do."""

    _supports_check_mode = True
    _supports_async = False

    def bring(self, files: Mapping[File, Path]) -> dict[str, Any]:
        """Make the host hold these files (file -> local source); return `changed` and `diff`."""
        changes = plan(self._read(files), files)
        if changes and not self._task.check_mode:
            self._apply({file: files[file] for file in changes})
            if wrong := plan(self._read(changes), changes):
                raise AnsibleActionFail(
                    f"{wrong[0].dest} was copied but does not read back as SHA-256 {wrong[0].sha256}."
                    " Next: look at the disk of that host, then run the playbook again."
                )
        lines = "".join(f"{file.dest} sha256:{file.sha256}\n" for file in changes)
        return {"changed": bool(changes), "diff": {"before": "", "after": lines} if changes else {}}

    def _read(self, files: Any) -> dict[str, str]:
        return parse(self._command(read_command(files), "read the files that are there"))

    def _apply(self, files: Mapping[File, Path]) -> None:
        folder = self._make_tmp_path()
        try:
            uploads = {}
            for number, (file, source) in enumerate(files.items()):
                uploads[file.dest] = self._transfer_file(
                    str(source), self._connection._shell.join_path(folder, str(number))
                )
            self._fixup_perms2((folder, *uploads.values()), execute=False)
            self._command(install_command(files, uploads), "put the files into place")
        finally:
            self._remove_tmp_path(folder, force=True)

    def _command(self, command: str, purpose: str) -> str:
        done = self._low_level_execute_command(command)
        if done["rc"] != 0:
            reason = (done["stderr"] or done["stdout"]).strip()
            raise AnsibleActionFail(
                f"Could not {purpose}: {reason or done['rc']}. Nothing half-written is left."
            )
        return str(done["stdout"])
