# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import shlex
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ansible_collections.eyrie.pool.plugins.plugin_utils.file_set import TextSetAction

from eyrie.artefacts.file_set import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ActionModule(TextSetAction):
    """Make a host hold small text files: one round trip where all are right."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            {
                "files": {"type": "list", "elements": "dict", "default": [], "options": FILE},
                "absent": {"type": "list", "elements": "path", "default": []},
            }
        )
        kinds = {each["path"]: each["kind"] for each in arguments["files"]}
        with TemporaryDirectory(prefix="eyrie-text-") as folder:
            files = {}
            for number, each in enumerate(arguments["files"]):
                content = each["text"].encode()
                source = Path(folder) / str(number)
                source.write_bytes(content)
                rights = (each["mode"], sha256(content).hexdigest(), each["owner"], each["group"])
                files[File(each["path"], *rights, check=each["check"])] = source
            paths, diff = self.change(files, arguments["absent"])
        found = sorted({kinds.get(path, "absent") for path in paths} - {""})
        result.update(changed=bool(paths), diff=diff, text_files={"changed": paths, "kinds": found})
        return result

    def differences(
        self, changes: Iterable[File], unwanted: Iterable[str], files: Mapping[File, Path]
    ) -> dict[str, str]:
        """Return the texts before and after, at the cost of a round trip, where somebody looks at them."""
        if not self._task.diff:
            return {"before": "", "after": ""}
        changed = {file.dest: files[file] for file in changes}
        paths = [*changed, *unwanted]
        words = " ".join(map(shlex.quote, paths))
        show = 'for f in %s; do if [ -f "$f" ]; then base64 -w 0 -- "$f"; fi; echo; done' % words  # noqa: UP031
        said = self.command(show, "read what is to be changed").splitlines()
        before = "".join(
            f"# {path}\n{base64.b64decode(text).decode(errors='replace')}"
            for path, text in zip(paths, said, strict=True)
            if text
        )
        after = "".join(f"# {path}\n{source.read_text()}" for path, source in changed.items())
        return {"before": before, "after": after}


FILE = {
    "path": {"type": "path", "required": True},
    "text": {"type": "str", "required": True},
    "mode": {"type": "str", "default": "0644"},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "check": {"type": "str", "default": ""},
    "kind": {"type": "str", "default": ""},
}
