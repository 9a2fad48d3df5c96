# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.eyrie.pool.plugins.plugin_utils.file_set import FileSetAction

from eyrie.apt_mirror import debian_mirror
from eyrie.artefacts.file_set import File, digest
from eyrie.errors import EyrieError
from eyrie.guests.image.build import build_image
from eyrie.guests.image.recipe import GuestImage, Recipe, epoch_from_environment


class ActionModule(FileSetAction):
    """Build the guest image, or take it from the cache, and bring it onto the desktop."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            {
                "packages": {"type": "list", "elements": "str", "default": []},
                "directory": {"type": "path", "required": True},
            }
        )
        image = self._image(tuple(arguments["packages"]))
        folder = PurePosixPath(arguments["directory"]) / image.image_id
        files = {
            File(str(folder / path.name), "0644", digest(path)): path
            for path in sorted(image.directory.iterdir())
            if path.is_file()
        }
        result.update(self.bring(files))
        result["guest_image"] = {"image_id": image.image_id, "directory": str(folder)}
        result["ansible_facts"] = {"eyrie_guest_image_id": image.image_id}
        return result

    def _image(self, packages: tuple[str, ...]) -> GuestImage:
        try:
            return build_image(Recipe(packages, epoch_from_environment()), debian_mirror, say=self._display.v)
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error
