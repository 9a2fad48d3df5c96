# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.eyrie.pool.plugins.plugin_utils.file_set import FileSetAction

from eyrie.artefacts.file_set import File, digest
from eyrie.errors import EyrieError
from eyrie.images import inject
from eyrie.node_vms.files import node_files
from eyrie.node_vms.host_key import host_key
from eyrie.node_vms.model import NodeVm, node_vms
from eyrie.node_vms.sources import source

_TEXT = {"type": "str", "default": ""}


class ActionModule(FileSetAction):
    """Make each node's root image on the control host and bring it, with the kernel, onto the master."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            {
                "nodes": {"type": "list", "elements": "dict", "required": True},
                "network": {"type": "str", "required": True},
                "kernel": {"type": "str", "required": True},
                "kernel_sha256": _TEXT,
                "root_image": {"type": "str", "required": True},
                "root_image_sha256": _TEXT,
                "depot": _TEXT,
                "authorized_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
                "node_table": _TEXT,
                "secrets_directory": {"type": "path", "required": True, "no_log": False},
                "directory": {"type": "path", "required": True},
            }
        )
        with tempfile.TemporaryDirectory(prefix="eyrie-node-image-") as scratch:
            try:
                files, known_hosts = self._build(arguments, Path(scratch))
            except EyrieError as error:
                raise AnsibleActionFail(str(error)) from error
            result.update(self.bring(files))
        result["node_image"] = {"known_hosts": known_hosts}
        return result

    def _build(self, arguments: dict[str, Any], scratch: Path) -> tuple[dict[File, Path], list[str]]:
        vms = node_vms(arguments["nodes"], arguments["network"])
        depot = arguments["depot"]
        kernel = source("openmosix_vm_kernel", arguments["kernel"], arguments["kernel_sha256"], depot)
        root = source(
            "openmosix_vm_root_image", arguments["root_image"], arguments["root_image_sha256"], depot
        )
        folder = PurePosixPath(arguments["directory"])
        files = {File(str(folder / "kernel"), "0644", digest(kernel)): kernel}
        known_hosts = []
        for vm in vms:
            private, public = host_key(Path(arguments["secrets_directory"]), vm.name)
            known_hosts.append(f"{vm.address} {public}")
            image = scratch / vm.name
            self._make_image(root, image, vm, private, arguments)
            files[File(str(folder / f"{vm.name}.root"), "0644", digest(image))] = image
        return files, known_hosts

    def _make_image(
        self, root: Path, image: Path, vm: NodeVm, private: bytes, arguments: dict[str, Any]
    ) -> None:
        self._display.v(f"making the root image of node {vm.name}")
        inject(root, image, node_files(vm, private, arguments["authorized_keys"], arguments["node_table"]))
