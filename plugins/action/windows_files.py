# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from eyrie.apt_mirror import debian_mirror
from eyrie.desktops.files import File, agent_msi, image_zip, qemu_zip
from eyrie.errors import EyrieError
from eyrie.guests.image.build import build_image
from eyrie.guests.image.recipe import Recipe, epoch_from_environment


class ActionModule(ActionBase):  # type: ignore[misc]
    """Make the files that Windows desktops install, or take them from the control host's cache."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            {
                "packages": {"type": "list", "elements": "str", "default": []},
                "information_url": {"type": "str", "default": ""},
            }
        )
        try:
            package = agent_msi(url=arguments["information_url"])
            recipe = Recipe(tuple(arguments["packages"]), epoch_from_environment())
            image = build_image(recipe, debian_mirror, say=self._display.v)
            files = {"msi": package.file, "qemu": qemu_zip(), "guest_image": image_zip(image)}
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error
        told: dict[str, Any] = {name: _told(file) for name, file in files.items()}
        told["msi"].update(
            version=package.version, release=package.release, product_code=package.product_code
        )
        told["guest_image"]["image_id"] = image.image_id
        result.update(changed=False, windows_files=told)
        return result


def _told(file: File) -> dict[str, Any]:
    return {"path": file.path, "name": file.published, "sha256": file.sha256, "size": file.size}
