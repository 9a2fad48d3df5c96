# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.eyrie.pool.plugins.plugin_utils.node_boot import Console, NodeBoot

from eyrie.errors import EyrieError
from eyrie.kernels import bootloaders, bundle, node, plan
from eyrie.kernels.bootloaders import Bootloader, Edit
from eyrie.kernels.node import NodeKernels
from eyrie.kernels.plan import Install, Wanted

OPTIONS: dict[str, Any] = {
    "release": {"type": "str", "required": True},
    "archive": {"type": "path"},
    "sha256": {"type": "str", "default": ""},
    "state": {"type": "str", "choices": ["installed", "booted", "absent"], "default": "installed"},
    "bootloader": {"type": "str", "choices": ["auto", *bootloaders.KINDS], "default": "auto"},
    "append": {"type": "list", "elements": "str", "default": []},
    "panic_seconds": {"type": "int", "default": 10},
    "requires_hpc": {"type": "bool", "default": True},
    "health_command": {"type": "str", "default": ""},
    "health_timeout_seconds": {"type": "int", "default": 60},
    "boot_timeout_seconds": {"type": "int", "default": 600},
    "console_file": {"type": "path"},
}


class ActionModule(NodeBoot):
    """Bring a kernel onto a node, boot it once, keep it if the node is well with it."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, self.given = self.validate_argument_spec(OPTIONS)
        try:
            self.wanted = self._wanted()
            here = self._read()
            states = {"installed": self._installed, "booted": self._booted, "absent": self._absent}
            result.update(states[self.given["state"]](here))
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error
        return result

    def _wanted(self) -> Wanted:
        """Refuse the wrong file and the wrong release before the node hears of anything."""
        release, path = self.given["release"], self.given["archive"]
        found = None
        if path and self.given["state"] != "absent":
            if self.given["sha256"]:
                _refuse_damaged(Path(path), self.given["sha256"])
            found = bundle.load(Path(path), release)
        words = (f"panic={self.given['panic_seconds']}", *self.given["append"])
        return Wanted(release, found, self.given["requires_hpc"], words, self.given["bootloader"])

    def _read(self) -> NodeKernels:
        names = [name for name, _ in self.wanted.bundle.boot] if self.wanted.bundle else []
        return node.parse(self.sh(node.read_script(self.wanted.release, names)), self.wanted.release)

    def _installed(self, here: NodeKernels) -> dict[str, Any]:
        if not plan.ails(here, self.wanted):
            return self._told(here, changed=plan.needs_keeping(here, self.wanted), booted=True)
        missing = plan.install(here, self.wanted)
        self._install(missing)
        return self._told(here, changed=not missing.is_empty, booted=False) | self._shown(here, missing)

    def _booted(self, here: NodeKernels) -> dict[str, Any]:
        if not plan.ails(here, self.wanted):
            if not plan.needs_keeping(here, self.wanted):
                return self._told(here, changed=False, booted=True)
            self._keep(here)
            return self._told(here, changed=True, booted=True)
        missing = plan.install(here, self.wanted)
        shown = self._shown(here, missing)
        if self._task.check_mode:
            return self._told(here, changed=True, booted=False) | shown
        self._install(missing)
        return self._try(here) | shown

    def _try(self, before: NodeKernels) -> dict[str, Any]:
        """Boot the pool's kernel once, and keep it or leave it."""
        now = self._read()
        self._write(self._bootloader(now).once(now.texts, self.wanted.entry))
        console, seconds = Console(self.given["console_file"]), self.given["boot_timeout_seconds"]
        if not self.boot_again(before.boot_id, seconds):
            old = before.running.release
            raise AnsibleActionFail(
                f"The node was told to boot {self.wanted.release} once and did not answer within {seconds} s."
                f"{console.last()} Switch its power off and on: it then boots {old} as before."
            )
        after = self._read()
        trouble = plan.ails(after, self.wanted) or self.well_within(
            self.given["health_command"], self.given["health_timeout_seconds"]
        )
        if trouble:
            return self._fall_back(before, after, trouble, console)
        self._keep(after)
        return self._told(after, changed=True, booted=True)

    def _fall_back(
        self, before: NodeKernels, after: NodeKernels, trouble: str, console: Console
    ) -> dict[str, Any]:
        """Report a kernel that did not do; if it still runs, boot the old one, which is the default."""
        reason, seconds = console.reason(), self.given["boot_timeout_seconds"]
        came_back = "The node fell back by itself"
        if after.running.release == self.wanted.release:
            came_back = "The node was booted again"
            if not self.boot_again(after.boot_id, seconds):
                raise AnsibleActionFail(
                    f"With {self.wanted.release} the node {trouble}. Told to boot {before.running.release}"
                    f" again, it did not answer within {seconds} s.{console.last()}"
                )
            after = self._read()
        message = (
            f"Kernel {self.wanted.release} was booted once and did not do: the node {trouble}.{reason}"
            f" {came_back}, runs {after.running.release} now, and boots that by default."
        )
        return self._told(after, changed=True, booted=False) | {"failed": True, "msg": message}

    def _absent(self, here: NodeKernels) -> dict[str, Any]:
        ours = any(bootloaders.has_block(text) for text in here.texts.values())
        edit = self._bootloader(here).drop(here.texts) if ours else Edit()
        runs = here.running.release == self.wanted.release
        if (not edit.texts and not here.stamp) or (runs and not ours):
            return self._told(here, changed=False, booted=runs)
        shown = self._shown(here, Install(edit=edit))
        if self._task.check_mode:
            return self._told(here, changed=True, booted=runs) | shown
        self._write(edit)
        if runs:
            if not self.boot_again(here.boot_id, self.given["boot_timeout_seconds"]):
                raise AnsibleActionFail("The node was told to boot its own kernel again and does not answer.")
            here = self._read()
        if here.running.release == self.wanted.release:
            raise AnsibleActionFail(f"The node still boots {self.wanted.release}; its files were left alone.")
        self.sh(plan.remove_script(self.wanted.release))
        return self._told(here, changed=True, booted=False) | shown

    def _bootloader(self, here: NodeKernels) -> Bootloader:
        return bootloaders.find(here.texts, self.given["bootloader"])

    def _keep(self, here: NodeKernels) -> None:
        self._write(self._bootloader(here).keep(here.texts, self.wanted.entry))

    def _install(self, missing: Install) -> None:
        if missing.files and self.wanted.bundle is not None and not self._task.check_mode:
            self.sh(plan.install_script(self.wanted.release, self.wanted.bundle), self.wanted.bundle.archive)
        self._write(missing.edit)

    def _write(self, edit: Edit) -> None:
        if (edit.texts or edit.commands) and not self._task.check_mode:
            self.sh(plan.edit_script(edit))

    def _shown(self, here: NodeKernels, missing: Install) -> dict[str, Any]:
        """Return the differences of the bootloader's files, for diff mode."""
        found = [self.diff(here.texts.get(path, ""), text, path) for path, text in missing.edit.texts.items()]
        if missing.files:
            found.append(self.diff("", f"kernel {self.wanted.release}\n", "/boot and /lib/modules"))
        return {"diff": found}

    def _told(self, here: NodeKernels, *, changed: bool, booted: bool) -> dict[str, Any]:
        """Tell what the node runs now; `booted` whether that is the pool's kernel, and well."""
        told = {
            "release": self.wanted.release,
            "running": here.running.release,
            "build": here.running.built,
            "booted": booted,
            "is_openmosix": here.has_hpc,
            "round_trips": self.round_trips,
        }
        return {"changed": changed, "node_kernel": told}


def _refuse_damaged(path: Path, wanted: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wanted.lower():
        raise EyrieError(f"SHA-256 of {path}", seen=found, wanted=wanted, next_step="fetch the file again")
