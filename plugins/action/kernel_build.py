# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath
from shlex import quote
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.eyrie.pool.plugins.plugin_utils.node_action import NodeAction

from eyrie.errors import EyrieError
from eyrie.images.target import write_whole
from eyrie.kernels import bundle, guest, recipe, store
from eyrie.kernels.recipe import Recipe

PRIORITY = 10
UNUSED_DAYS = 30  # a toolchain that nobody built with for so long goes
WORK = PurePosixPath("/build")

OPTIONS: dict[str, Any] = {
    "release": {"type": "str", "required": True},
    "source": {"type": "path", "required": True},
    "patches": {"type": "list", "elements": "path", "default": []},
    "config": {"type": "path", "required": True},
    "config_target": {"type": "str", "choices": list(recipe.CONFIG_TARGETS), "default": "oldconfig"},
    "target": {"type": "str", "choices": list(recipe.TARGETS), "default": "bare"},
    "toolchain": {"type": "path"},
    "directory": {"type": "path", "default": "/var/lib/eyrie/kernels"},
    "dest": {"type": "path", "required": True},
    "jobs": {"type": "int", "default": 1},
}


class ActionModule(NodeAction):
    """Build a kernel on the build host, unless the control host has it already."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, self.given = self.validate_argument_spec(OPTIONS)
        try:
            result.update(self._build())
        except (EyrieError, OSError) as error:
            raise AnsibleActionFail(str(error)) from error
        return result

    def _build(self) -> dict[str, Any]:
        wanted = self._recipe()
        recipe.refuse_impossible(wanted)
        folder = Path(self.given["dest"])
        archive = store.archive(folder, wanted)
        told: dict[str, Any] = {
            "release": wanted.release,
            "identity": wanted.identity,
            "archive": str(archive),
        }
        place = folder / f"colinux-{wanted.release}"
        if wanted.target == "colinux":
            told |= {"kernel": str(place / guest.KERNEL), "modules": str(place / guest.MODULES)}
        if self._task.check_mode and not archive.exists():
            return {"changed": True, "kernel_build": told | {"sha256": "", "build": ""}}
        notes: dict[str, Any] = {}
        if not archive.exists():
            with store.one_build(folder, self._tell_waiting):
                if not archive.exists():  # else the one waited for has built it
                    notes = self._make(wanted, archive)
        found = bundle.load(archive, wanted.release, wanted.image)
        store.use(archive)
        given = wanted.target == "colinux" and self._give_guests(place, guest.parts(found))
        if notes:
            notes["pruned"] = store.prune(folder, wanted.release)
        told |= {"sha256": _sha256(archive), "build": found.build.built} | notes
        return {"changed": bool(notes) or given, "kernel_build": told}

    def _give_guests(self, place: Path, parts: dict[str, bytes]) -> bool:
        """Put its files where desktops and images are given them from; tell whether any changed."""
        changed = {
            name: content
            for name, content in parts.items()
            if not (place / name).exists() or (place / name).read_bytes() != content
        }
        if changed and not self._task.check_mode:
            place.mkdir(parents=True, exist_ok=True)
            for name, content in changed.items():
                write_whole(place / name, lambda path, content=content: path.write_bytes(content))
        return bool(changed)

    def _tell_waiting(self) -> None:
        self._display.display(
            f"Another kernel is being built into {self.given['dest']}: waiting for its end."
        )

    def _recipe(self) -> Recipe:
        toolchain = self.given["toolchain"]
        return Recipe(
            self.given["release"],
            _sha256(Path(self.given["source"])),
            tuple(_sha256(Path(path)) for path in self.given["patches"]),
            _sha256(Path(self.given["config"])),
            _sha256(Path(toolchain)) if toolchain else "",
            self.given["config_target"],
            self.given["target"],
        )

    def _make(self, wanted: Recipe, archive: Path) -> dict[str, Any]:
        """Build and fetch; the tree goes when the archive is there, and stays when it fails."""
        root = self._toolchain(wanted)
        inner = str(WORK / wanted.identity)
        outer = (
            PurePosixPath(f"{root}{inner}")
            if root
            else PurePosixPath(self.given["directory"]) / wanted.identity
        )
        work = inner if root else str(outer)
        self.sh(f"mkdir -p {quote(str(outer))}")
        files = {
            path: f"{work}/{number}-{Path(path).name}"
            for number, path in enumerate(
                [self.given["source"], self.given["config"], *self.given["patches"]]
            )
        }
        for path, place in files.items():
            self._give(path, str(outer / PurePosixPath(place).name))
        tree, made = f"{work}/linux", f"{work}/kernel.tar"
        self._within(root, recipe.unpack(files[self.given["source"]], tree))
        settled = [path for path in self.given["patches"] if self._patch(root, path, files[path], tree)]
        config = self._within(root, recipe.configure(wanted, files[self.given["config"]], tree))
        self._within(root, recipe.make(wanted, tree, self.given["jobs"]))
        self._within(root, recipe.collect(wanted, tree, made))
        self._take(str(outer / "kernel.tar"), archive, wanted)
        self.sh(f"rm -rf {quote(str(outer))}")
        lost = recipe.lost(Path(self.given["config"]).read_text(encoding="utf-8"), config)
        for setting in lost:
            self._display.warning(f"kernel {wanted.release}: its own rules did not keep {setting}")
        return {"settled_rejects": settled, "lost_settings": list(lost)}

    def _patch(self, root: str, path: str, place: str, tree: str) -> bool:
        return recipe.refuse_rejects(self._within(root, recipe.patch(place, tree)), path)

    def _toolchain(self, wanted: Recipe) -> str:
        """Unpack the toolchain on the build host once; its folder carries its SHA-256."""
        if not wanted.toolchain:
            return ""
        root = f"{self.given['directory']}/toolchain-{wanted.toolchain[:16]}"
        if self.attempt(f"[ -d {quote(root)} ]").rc != 0:
            self.sh(f"mkdir -p {quote(root)}.new")
            self._give(self.given["toolchain"], f"{root}.tar")
            unpack = f"tar -xf {quote(root)}.tar -C {quote(root)}.new --numeric-owner"
            self.sh(f"{unpack}\nrm {quote(root)}.tar\nmv {quote(root)}.new {quote(root)}")
        old = f"-maxdepth 1 -type d -name 'toolchain-*' -mtime +{UNUSED_DAYS}"
        self.sh(f"touch {quote(root)}\nfind {quote(self.given['directory'])} {old} -exec rm -rf {{}} +")
        return root

    def _within(self, root: str, script: str) -> str:
        return self.sh(recipe.inside(root, script, PRIORITY))

    def _give(self, local: str, remote: str) -> None:
        """Copy a file to the build host unless it is there."""
        done = self.attempt(f"sha256sum < {quote(remote)}")
        if done.rc != 0 or done.stdout.split()[:1] != [_sha256(Path(local))]:
            self._connection.put_file(local, remote)

    def _take(self, remote: str, local: Path, wanted: Recipe) -> None:
        """Fetch the archive; it gets its name only after it was found good."""
        local.parent.mkdir(parents=True, exist_ok=True)
        fetched = local.with_name(f".{local.name}.{os.getpid()}")
        try:
            self._connection.fetch_file(remote, str(fetched))
            fetched.write_bytes(bundle.load(fetched, wanted.release, wanted.image).archive)
            fetched.rename(local)
        finally:
            fetched.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
