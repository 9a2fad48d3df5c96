# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine in a folder: it runs the actions' real scripts with sh, and boots as GRUB 2 would."""

from __future__ import annotations

import importlib
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from kernel_samples import GRUB_CFG, GRUBENV

from eyrie.kernels.bootloaders.grub2 import environment_block, menus, read_environment
from eyrie.kernels.release import of_image

OLD = "6.12.8-old"
_PATH = re.compile(r"(?<![\w./])(/boot|/lib/modules|/proc|/etc/lilo)(?=[/\s\"';.]|$)")


class Machine:
    """Files below `root`; `fate` says what becomes of a boot: panics, hangs, or nothing of the kind."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.fate = ""
        self.has_hpc = True
        self.boots: list[str] = []
        self.silent = 0
        for folder in ("boot/grub", "lib/modules", "proc/sys/kernel/random", "etc"):
            (root / folder).mkdir(parents=True)
        (root / "boot/grub/grub.cfg").write_text(GRUB_CFG)
        (root / "boot/grub/grubenv").write_text(GRUBENV)
        (root / "proc/mounts").write_text("/dev/vda1 / ext4 rw 0 0\n")
        self._runs(f"/boot/vmlinuz-{OLD}")

    def sh(self, script: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run a script as the node would, and boot if it says so."""
        if self.silent:
            self.silent -= 1
            raise AnsibleConnectionFailure("no route")
        inner = _PATH.sub(lambda found: f"{self.root}{found.group(1)}", script)
        inner = inner.replace("sleep 2; reboot", f"touch {self.root}/rebooted") + "\nwait"
        # Whatever is missed here would be done to the machine that runs the tests.
        assert "reboot)" not in inner
        others = inner.replace(str(self.root), "ROOT")
        assert not re.search(r"(?<!ROOT)/(boot|lib/modules)\b", others)
        done = subprocess.run(["sh", "-c", inner], input=stdin or b"", capture_output=True, check=False)
        custom = self.root / "boot/grub/custom.cfg"
        if custom.exists():  # written by a script whose paths were changed
            custom.write_text(custom.read_text().replace(str(self.root), ""))
        if (self.root / "rebooted").exists():
            (self.root / "rebooted").unlink()
            self.boot()
        done.stdout = done.stdout.replace(str(self.root).encode(), b"")
        return done

    def boot(self) -> None:
        """Do what Debian's grub.cfg does: the next entry once, else what custom.cfg names, else the first."""
        block = self.root / "boot/grub/grubenv"
        chosen = read_environment(block.read_text(), "x").get("next_entry", "")
        block.write_text(environment_block({}))
        custom = self.root / "boot/grub/custom.cfg"
        text = custom.read_text() if custom.exists() else ""
        default = re.search(r'set default="([^"]+)"', text)
        name = chosen or (default.group(1) if default else "")
        found = re.search(rf"--id {re.escape(name)} .*?\n\}}", text, re.DOTALL) if name else None
        entry = f"menuentry 'x' {found.group(0)[len('--id ' + name) :]}" if found else GRUB_CFG
        entries = list(menus(entry))
        kernel = entries[0].kernel if found else entries[1].kernel
        self.boots.append(kernel)
        if self.fate and "pool" in kernel:
            self._gives_up()
        else:
            self._runs(kernel)

    def _gives_up(self) -> None:
        if self.fate == "hangs":
            self.silent = 10**6
            return
        (self.root / "console").write_text("Loading\nKernel panic - not syncing: no init\nRebooting\n")
        self.boot()

    def _runs(self, kernel: str) -> None:
        proc, image = self.root / "proc", self.root / kernel.lstrip("/")
        text = str(of_image(image.read_bytes(), kernel)) if image.exists() else f"{OLD} (b@h) #1 Mon"
        release, builder, version = text.split(" ", 2)
        (proc / "version").write_text(f"Linux version {release} {builder} (gcc) {version}\n")
        (proc / "cmdline").write_text(f"BOOT_IMAGE={kernel} root=/dev/vda1\n")
        (proc / "sys/kernel/random/boot_id").write_text(f"{len(self.boots)}\n")
        admin = proc / "hpc/admin"
        if self.has_hpc and "pool" in kernel:
            admin.mkdir(parents=True, exist_ok=True)
        elif admin.exists():
            admin.rmdir()

    def files(self) -> set[str]:
        """Return all files that a kernel or the pool may have left."""
        found = (path for part in ("boot", "lib") for path in (self.root / part).rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)) for path in found} - {
            "boot/grub/grub.cfg",
            "boot/grub/grubenv",
        }


def node_kernel(machine: Machine, check: bool = False, **arguments: Any) -> dict[str, Any]:
    """Run the action against a machine."""
    module = importlib.import_module("ansible_collections.eyrie.pool.plugins.action.node_kernel")
    task = SimpleNamespace(args=arguments, check_mode=check, async_val=0, diff=True, action="node_kernel")
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), reset=lambda: None)
    templar = SimpleNamespace(template=lambda value: value)
    action = module.ActionModule(task, connection, None, None, templar, None)

    def execute(script: str, sudoable: bool = True, in_data: bytes | None = None) -> dict[str, Any]:
        done = machine.sh(script, in_data)
        return {"rc": done.returncode, "stdout": done.stdout.decode(), "stderr": done.stderr.decode()}

    action._low_level_execute_command = execute
    return dict(action.run(None, {}))
