# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from eyrie.artefacts.file_set import File, install_command, parse, plan, read_command, remove_command

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from eyrie.artefacts.file_set import Found


class FileSetAction(ActionBase):  # type: ignore[misc]
    """Base of actions that bring a set of files onto a host: one round trip where nothing is to do."""

    _supports_check_mode = True
    _supports_async = False

    def bring(self, files: Mapping[File, Path]) -> dict[str, Any]:
        """Make the host hold these files (file -> local source); return `changed` and `diff`."""
        paths, diff = self.change(files)
        return {"changed": bool(paths), "diff": diff}

    def change(
        self, files: Mapping[File, Path], absent: Collection[str] = ()
    ) -> tuple[list[str], dict[str, str]]:
        """Make the host hold these files and none of `absent`; return the paths that change, and `diff`."""
        there = self._read(files, absent)
        changes, unwanted = plan(there, files), [path for path in absent if path in there]
        paths = [*(file.dest for file in changes), *unwanted]
        diff = self.differences(changes, unwanted, files) if paths else {}
        if paths and not self._task.check_mode:
            self.apply({file: files[file] for file in changes}, unwanted)
            there = self._read(changes, unwanted)
            for file in plan(there, changes):
                raise AnsibleActionFail(
                    f"{file.dest} was copied but does not read back as SHA-256 {file.sha256},"
                    f" mode {file.mode}, {file.owner}:{file.group}."
                    " Next: look at the disk of that host, then run the playbook again."
                )
            for path in (path for path in unwanted if path in there):
                raise AnsibleActionFail(f"{path} was removed and is still there. Next: look at that host.")
        return paths, diff

    def differences(
        self, changes: Iterable[File], unwanted: Iterable[str], files: Mapping[File, Path]
    ) -> dict[str, str]:
        """Return what `--diff` shows: of files that may be large, their digests."""
        del files
        after = "".join(f"{file.dest} sha256:{file.sha256}\n" for file in changes)
        return {"before": "".join(f"{path}\n" for path in unwanted), "after": after}

    def apply(self, files: Mapping[File, Path], unwanted: Collection[str]) -> None:
        """Bring these files, and remove those, in this order."""
        folder = self._make_tmp_path()
        try:
            uploads = {}
            for number, (file, source) in enumerate(files.items()):
                uploads[file.dest] = self._transfer_file(
                    str(source), self._connection._shell.join_path(folder, str(number))
                )
            self._fixup_perms2((folder, *uploads.values()), execute=False)
            self.command(self.steps(files, uploads, unwanted), "put the files into place")
        finally:
            self._remove_tmp_path(folder, force=True)

    @staticmethod
    def steps(files: Iterable[File], uploads: Mapping[str, str], unwanted: Collection[str]) -> str:
        """Return the script that puts what was uploaded into place, and then removes what is not wanted."""
        install = install_command(files, uploads) if uploads else ""
        return "\n".join(filter(None, (install, remove_command(unwanted))))

    def command(self, script: str, purpose: str) -> str:
        """Run POSIX sh on the host and return what it printed; a failure says what it was for.

        It goes by standard input: no terminal is opened, no length is limited, and no process list shows it.
        """
        done = self._low_level_execute_command("sh -s", in_data=f"{script}\n".encode())
        if done["rc"] != 0:
            reason = (done["stderr"] or done["stdout"]).strip()
            raise AnsibleActionFail(
                f"Could not {purpose}: {reason or done['rc']}. Nothing half-written is left."
            )
        return str(done["stdout"])

    def _read(self, files: Iterable[File], absent: Iterable[str]) -> dict[str, Found]:
        return parse(self.command(read_command(files, absent), "read the files that are there"))


class TextSetAction(FileSetAction):
    """The same for small files: texts and commands go to the host together, in one round trip."""

    def apply(self, files: Mapping[File, Path], unwanted: Collection[str]) -> None:
        """Send text and commands together."""
        names = {file.dest: f"./{number}" for number, file in enumerate(files)}
        texts = [
            f"base64 -d > {names[file.dest]} << {_END} || exit 1\n{_encoded(source)}{_END}"
            for file, source in files.items()
        ]
        folder = 'folder=$(mktemp -d) && cd "$folder" || exit 1\ntrap \'rm -rf "$folder"\' EXIT'
        self.command("\n".join((folder, *texts, self.steps(files, names, unwanted))), "write files")


def _encoded(source: Path) -> str:
    return base64.encodebytes(source.read_bytes()).decode("ascii")


# Around base64, which has no such line.
_END = "END-OF-FILE"
