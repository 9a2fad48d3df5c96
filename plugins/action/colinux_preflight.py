# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.eyrie.pool.plugins.plugin_utils.desktop_prompt import Prompt

from eyrie.errors import EyrieError
from eyrie.guests.colinux import Release
from eyrie.guests.colinux.preflight import TRAPS, Verdict, Wanted, judge, line, parse

SPEC = {
    "release": {"type": "str", "default": "0.6.1"},
    "folder": {"type": "str", "default": "C:\\coLinux"},
    "memory_mib": {"type": "int", "default": 128},
    "image_mib": {"type": "int", "default": 0},
    "network": {"type": "str", "choices": ["bridge", "ndis", "tap", "slirp"], "default": "bridge"},
    "adapter": {"type": "str", "default": ""},
    "openmosix": {"type": "bool", "default": True},
    "switch_pae_off": {"type": "bool", "default": False},
    "accept_untested": {"type": "bool", "default": False},
    "lifted": {"type": "list", "elements": "str", "choices": sorted(TRAPS), "default": []},
    "refusals": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Ask a desktop in one round trip of cmd.exe; what to make of it is decided in eyrie.guests.colinux."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(SPEC)
        mode, lifted = arguments.pop("refusals"), arguments.pop("lifted")
        host = str((task_vars or {}).get("inventory_hostname", "without a name"))
        prompt = Prompt(self._connection, reconnect_seconds=0)
        try:
            wanted = Wanted(**{**arguments, "release": Release.of(arguments["release"])})
            seen = parse(prompt.run(line()).out, host)
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error
        verdict = judge(seen, wanted)
        refusals = tuple(each for each in verdict.refusals if each.trap not in lifted)
        verdict = replace(verdict, refusals=refusals)
        result.update(changed=False, round_trips=prompt.round_trips, colinux_preflight=_told(verdict))
        result["colinux_preflight"]["desktop"] = asdict(seen)
        if verdict.refusals and mode == "fail":
            count = len(verdict.refusals)
            reasons = "; ".join(map(str, verdict.refusals))
            result.update(failed=True, msg=f"{count} reasons against coLinux here: {reasons}")
        return result


def _told(verdict: Verdict) -> dict[str, Any]:
    refusals = [
        {"trap": each.trap, "reason": str(each), "lift": each.lift, "cost": each.cost}
        for each in verdict.refusals
    ]
    return {
        "fit": verdict.fit,
        "refusals": refusals,
        "notes": list(verdict.notes),
        "adapter": verdict.adapter,
        "weakening": asdict(verdict.weakening) if verdict.weakening else {},
    }
