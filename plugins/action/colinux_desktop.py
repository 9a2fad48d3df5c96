# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.eyrie.pool.plugins.plugin_utils.colinux_desktops import (
    PROGRAM,
    WINDOW,
    guests,
    program,
    shown,
    window,
)
from ansible_collections.eyrie.pool.plugins.plugin_utils.desktop_prompt import Prompt

from eyrie.desktops.model import Lost
from eyrie.errors import EyrieError
from eyrie.guests.colinux import Release, render
from eyrie.guests.colinux.hours import running_now
from eyrie.guests.colinux.install import Carrier, Wanted, absent, present
from eyrie.guests.colinux.install.carry import Content
from eyrie.guests.colinux.install.model import PROGRAM as PROGRAM_FILE
from eyrie.guests.colinux.install.release_set import (
    check_image,
    check_kernel,
    operators_file,
    read_set,
    sums,
)
from eyrie.guests.colinux.sources import Desktop, with_adapter
from eyrie.guests.colinux_names import HELPERS

SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "pool_name": {"type": "str", "default": ""},
    "hosts": {"type": "list", "elements": "str", "default": []},
    "numbers_file": {"type": "path", "default": ""},
    "adapter": {"type": "str", "default": ""},
    "release": {"type": "str", "default": "0.6.1"},
    "folder": {"type": "str", "default": "C:\\coLinux"},
    "service": {"type": "str", "default": "EyrieGuest"},
    "network": {"type": "str", "choices": ["bridge", "ndis", "tap", "slirp"], "default": "bridge"},
    "archive": {"type": "path", "default": ""},
    "archive_sha256": {"type": "str", "default": ""},
    "kernel_file": {"type": "path", "default": ""},
    "kernel_sha256": {"type": "str", "default": ""},
    "image": {"type": "str", "default": "root_fs"},
    "image_file": {"type": "path", "default": ""},
    "image_sha256": {"type": "str", "default": ""},
    "start": {"type": "str", "choices": ["auto", "demand", "agent"], "default": "auto"},
    "running": {"type": "bool", "default": True},
    "busy_windows": {"type": "list", "elements": "dict", "options": WINDOW, "default": []},
    "busy_lead_minutes": {"type": "int", "default": 0},
    "poweroff": {"type": "list", "elements": "str", "default": []},
    "start_seconds": {"type": "int", "default": 60},
    "stop_seconds": {"type": "int", "default": 120},
    **PROGRAM,
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Bring a coLinux guest to a desktop, or take it away; what to do is planned in eyrie.guests.colinux."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            SPEC, required_if=[("state", "present", ["pool_name", "hosts"])]
        )
        host = str((task_vars or {}).get("inventory_hostname", "without a name"))
        prompt = Prompt(self._connection, reconnect_seconds=0)
        done: list[str] = []
        try:
            contents: dict[str, Content] = {}
            if arguments["state"] == "present":
                wanted = _wanted(arguments, _guest(arguments, task_vars or {}, host), contents)
            else:
                wanted = _gone(arguments)
            carrier = Carrier(
                prompt=prompt,
                host=host,
                wanted=wanted,
                contents=contents,
                sleep=time.sleep,
                now=time.monotonic,
                poweroff=_poweroff(arguments["poweroff"]),
                start_seconds=arguments["start_seconds"],
                stop_seconds=arguments["stop_seconds"],
            )
            plan = present if arguments["state"] == "present" else absent
            seen = carrier.look()
            wanted = replace(wanted, running=_running(arguments, seen.bias))
            steps = plan(seen, wanted)
            if not self._task.check_mode:
                for step in steps:
                    self._display.vv(f"{host}: {step}")
                    carrier.carry(step)
                    done.append(str(step))
        except Lost as error:
            raise AnsibleActionFail(f"{error} Next: run again; it goes on where it stopped.") from error
        except EyrieError as error:
            result.update(failed=True, msg=str(error), changed=bool(done))
            result.update(round_trips=prompt.round_trips, colinux_desktop={"steps": done})
            return result
        result.update(
            changed=bool(steps),
            diff=shown(steps, host),
            round_trips=prompt.round_trips,
            colinux_desktop={"steps": [str(step) for step in steps], "running": wanted.running is True},
        )
        return result


def _running(arguments: dict[str, Any], bias: int | None) -> bool | None:
    """Return whether the guest shall run now; None leaves that to others, as outside its hours."""
    if arguments["start"] == "agent":
        return None
    busy = [window(each) for each in arguments["busy_windows"]]
    lead = arguments["busy_lead_minutes"]
    return running_now(arguments["running"], busy, lead, bias, datetime.now(UTC))


def _guest(arguments: dict[str, Any], variables: dict[str, Any], host: str) -> Desktop:
    everybody = guests(
        variables["hostvars"], arguments["hosts"], arguments["pool_name"], arguments["numbers_file"]
    )
    if host not in everybody:
        raise EyrieError(f"desktop {host}", seen="not in the group colinux", wanted="one of its hosts")
    desktop = everybody[host]
    return with_adapter(desktop, arguments["adapter"]) if arguments["adapter"] else desktop


def _wanted(arguments: dict[str, Any], desktop: Desktop, contents: dict[str, Content]) -> Wanted:
    """Have every file at hand, each with the sum that was pinned for it, before the desktop is asked."""
    release = desktop.release
    helper = HELPERS[desktop.guest.cards[0].kind]
    archive = operators_file(
        arguments["archive"], arguments["archive_sha256"], f"colinux_{str(release).replace('.', '_')}"
    )
    kernel = None
    if arguments["kernel_file"]:
        kernel = operators_file(arguments["kernel_file"], arguments["kernel_sha256"], "").read_bytes()
        check_kernel(kernel, release)
    files = read_set(archive, release, helper, kernel)
    name = desktop.guest.kernel.rpartition("\\")[2]
    files[name] = files.pop("vmlinux")
    files[desktop.file] = render(desktop.guest, release).encode("ascii")
    files[PROGRAM_FILE] = program(arguments)
    image = desktop.guest.disks[0].path.rpartition("\\")[2]
    digest = ""
    if arguments["image_file"]:
        source = operators_file(arguments["image_file"], arguments["image_sha256"], "")
        check_image(source)
        digest = arguments["image_sha256"]
        files[f"{image}.sha256"] = f"{digest}\r\n".encode()
        contents[image] = source
    contents.update(files)
    return Wanted(
        release=release,
        service=arguments["service"],
        config=desktop.file,
        files=sums(files),
        helper=helper,
        folder=desktop.folder,
        image=image,
        image_sha256=digest,
        start=arguments["start"],
        running=arguments["running"],
    )


def _gone(arguments: dict[str, Any]) -> Wanted:
    """Return what is enough for taking a guest away: nothing has to be at hand for it."""
    return Wanted(
        release=Release.of(arguments["release"]),
        service=arguments["service"],
        config="",
        files={PROGRAM_FILE: hashlib.sha256(b"").hexdigest()},
        helper=HELPERS[arguments["network"]],
        folder=arguments["folder"],
        image=arguments["image"],
    )


def _poweroff(argv: list[str]) -> Any:
    """Return what has the guest shut down from inside, by a program of the control host."""
    if not argv:
        return None

    def run() -> None:
        try:
            subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return  # a guest that cannot be reached is then asked by its service
        except OSError as error:
            raise EyrieError(
                f"colinux_poweroff: {argv[0]}",
                seen=error.strerror or str(error),
                wanted="a program of the control host",
                next_step="correct colinux_poweroff, or leave it out: the service asks the guest as well",
            ) from error

    return run
