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
from eyrie.guests.colinux.install import winpcap
from eyrie.guests.colinux.install.carry import bring_program, put
from eyrie.guests.colinux.install.model import RUNNING
from eyrie.guests.colinux.install.release_set import operators_file

SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "folder": {"type": "str", "default": "C:\\coLinux-winpcap"},
    "installer": {"type": "path", "default": ""},
    "installer_sha256": {"type": "str", "default": ""},
    "silent": {"type": "bool", "default": False},
    **PROGRAM,
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Have WinPcap's driver run; what was there before is used, and stays."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(SPEC)
        host = str((task_vars or {}).get("inventory_hostname", "without a name"))
        prompt = Prompt(self._connection, reconnect_seconds=0)
        try:
            work = _Work(prompt, host, arguments)
            seen = work.look()
            if arguments["state"] == "present":
                installer = bool(arguments["installer"])
                steps = winpcap.present(seen, installer=installer, silent=arguments["silent"])
            else:
                steps = winpcap.absent(seen)
            if not self._task.check_mode:
                for step in steps:
                    work.do(step)
        except Lost as error:
            raise AnsibleActionFail(f"{error} Next: run again.") from error
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error
        result.update(
            changed=bool(steps),
            diff=shown((f"WinPcap: {step}" for step in steps), host),
            round_trips=prompt.round_trips,
            colinux_winpcap={"steps": list(steps)},
        )
        return result


class _Work:
    """One desktop's WinPcap."""

    def __init__(self, prompt: Prompt, host: str, arguments: dict[str, Any]) -> None:
        self._prompt, self._host, self._arguments = prompt, host, arguments
        self._folder = arguments["folder"]

    def look(self) -> winpcap.Seen:
        """Read it."""
        return winpcap.parse(self._prompt.run(winpcap.look_line(self._folder)).out, self._host)

    def do(self, step: winpcap.Do) -> None:
        """Do a step; the service manager tells whether it was done."""
        {
            "install": self._install,
            "start": self._start,
            "uninstall": self._uninstall,
            "forget": self._forget,
        }[step]()

    def _install(self) -> None:
        file = operators_file(self._arguments["installer"], self._arguments["installer_sha256"], "")
        ours = program(self._arguments)
        self._prompt.run(f"mkdir {self._folder}")
        bring_program(self._prompt, self._folder, ours, hashlib.sha256(ours).hexdigest())
        # The mark first: a WinPcap without it would be taken for the owner's, and stay for ever.
        mark = b"by the role winpcap\r\n"
        put(self._prompt, self._folder, winpcap.OURS, mark, hashlib.sha256(mark).hexdigest())
        put(self._prompt, self._folder, winpcap.INSTALLER, file, self._arguments["installer_sha256"])
        done = self._prompt.run(rf"start /wait {self._folder}\{winpcap.INSTALLER} /S")
        driver = self.look().driver
        self._prove(done.code, driver is not None and driver.state == RUNNING, "installing WinPcap")

    def _start(self) -> None:
        done = self._prompt.run("sc config npf start= auto & net start npf")
        driver = self.look().driver
        self._prove(done.code, driver is not None and driver.state == RUNNING, "starting npf")

    def _uninstall(self) -> None:
        uninstaller = self.look().uninstaller
        done = self._prompt.run(f'"{uninstaller}" /S' if uninstaller else "net stop npf & sc delete npf")
        self._prove(done.code, self.look().driver is None, "removing WinPcap")

    def _forget(self) -> None:
        done = self._prompt.run(f"rd /s /q {self._folder}")
        self._prove(done.code, not self.look().folder, f"removing {self._folder}")

    def _prove(self, code: int, reached: bool, what: str) -> None:
        if not reached:
            raise EyrieError(
                f"{what} on desktop {self._host}",
                seen=f"exit code {code}",
                wanted="its effect (sc query npf)",
                next_step="do it by hand there and see what it says, or restart the desktop",
            )
