# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.eyrie.pool.plugins.plugin_utils.colinux_desktops import PROGRAM, program, shown
from ansible_collections.eyrie.pool.plugins.plugin_utils.desktop_prompt import Prompt

from eyrie.desktops.model import Lost
from eyrie.errors import EyrieError
from eyrie.guests.colinux import Release
from eyrie.guests.colinux.install import tap
from eyrie.guests.colinux.install.carry import bring_program, put
from eyrie.guests.colinux.install.release_set import netdriver, operators_file

SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str", "default": "TAP-coLinux"},
    "release": {"type": "str", "default": "0.6.1"},
    "folder": {"type": "str", "default": "C:\\coLinux-tap"},
    "archive": {"type": "path", "default": ""},
    "archive_sha256": {"type": "str", "default": ""},
    **PROGRAM,
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Have one TAP adapter of a fixed name, or as many as there were before."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(SPEC)
        host = str((task_vars or {}).get("inventory_hostname", "without a name"))
        prompt = Prompt(self._connection, reconnect_seconds=0)
        try:
            driver = tap.Driver.of(Release.of(arguments["release"]))
            work = _Work(prompt, host, driver, arguments)
            seen = work.look()
            wanted = arguments["state"] == "present"
            steps = tap.present(seen, arguments["name"]) if wanted else tap.absent(seen)
            if not self._task.check_mode:
                for step in steps:
                    work.do(step)
        except Lost as error:
            raise AnsibleActionFail(f"{error} Next: run again.") from error
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error
        result.update(
            changed=bool(steps),
            diff=shown((f"TAP adapter: {step}" for step in steps), host),
            round_trips=prompt.round_trips,
            colinux_tap={"steps": list(steps), "reboot_required": work.reboot},
        )
        return result


class _Work:
    """One desktop's adapter."""

    def __init__(self, prompt: Prompt, host: str, driver: tap.Driver, arguments: dict[str, Any]) -> None:
        self._prompt, self._host, self._driver, self._arguments = prompt, host, driver, arguments
        self._folder = arguments["folder"]
        self.reboot = False

    def look(self) -> tap.Seen:
        """Read it."""
        return tap.parse(self._prompt.run(tap.look_line(self._folder)).out, self._host, self._driver)

    def do(self, step: tap.Do) -> None:
        """Do a step; the registry tells whether it was done."""
        {"install": self._install, "rename": self._rename, "remove": self._remove, "forget": self._forget}[
            step
        ]()

    def _install(self) -> None:
        release = str(Release.of(self._arguments["release"])).replace(".", "_")
        archive = operators_file(
            self._arguments["archive"], self._arguments["archive_sha256"], f"colinux_{release}"
        )
        files = netdriver(archive, self._driver.tool)
        ours = program(self._arguments)
        self._prompt.run(f"mkdir {self._folder}")
        bring_program(self._prompt, self._folder, ours, hashlib.sha256(ours).hexdigest())
        # The mark first: an adapter without it would be taken for somebody else's, and stay for ever.
        for name, content in {**files, tap.OURS: b"by the role tap_win32\r\n"}.items():
            put(self._prompt, self._folder, name, content, hashlib.sha256(content).hexdigest())
        folder, driver = self._folder, self._driver
        done = self._prompt.run(rf"{folder}\{driver.tool} install {folder}\oemwin2k.inf {driver.component}")
        self._prove(done.code, len(self.look().adapters) == 1, f"{driver.tool} install", done.out)

    def _rename(self) -> None:
        seen = self.look()
        (adapter,) = seen.adapters
        name = self._arguments["name"]
        done = self._prompt.run(tap.rename_line(adapter.connection, name))
        reached = [each.connection for each in self.look().adapters] == [name]
        self._prove(done.code, reached, f"renaming {adapter.connection}", done.out)

    def _remove(self) -> None:
        done = self._prompt.run(rf"{self._folder}\{self._driver.tool} remove {self._driver.remove}")
        self._prove(done.code, not self.look().adapters, f"{self._driver.tool} remove", done.out)

    def _forget(self) -> None:
        done = self._prompt.run(f"rd /s /q {self._folder}")
        self._prove(done.code, not self.look().folder, f"removing {self._folder}", done.out)

    def _prove(self, code: int, reached: bool, what: str, out: str) -> None:
        self.reboot = self.reboot or code == tap.REBOOT
        if not reached:
            raise EyrieError(
                f"{what} on desktop {self._host}",
                seen=f"exit code {code}: {' '.join(out.split())[-200:]}",
                wanted="its effect in the registry",
                next_step="does Windows ask about an unsigned driver there? See colinux_preflight",
            )
