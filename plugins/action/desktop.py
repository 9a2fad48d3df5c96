# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.eyrie.pool.plugins.plugin_utils.desktop_prompt import Prompt
from ansible_collections.eyrie.pool.plugins.plugin_utils.pool_authority import read_authority

from eyrie import __version__
from eyrie.agent.converge.plan import FITS
from eyrie.credentials.authority import WantedCertificate
from eyrie.desktops.bring import Order, bring, public, shown
from eyrie.desktops.model import DesktopOutcome, Lost, Package, Story
from eyrie.desktops.spec import Wanted, WantedHub
from eyrie.desktops.uninstall import uninstall
from eyrie.engines.tokens import WantedToken, revocations
from eyrie.errors import EyrieError
from eyrie.windows.faults import says_shells_are_forbidden

ITEM = {
    "name": {"type": "str", "required": True},
    "url": {"type": "str", "required": True},
    "sha256": {"type": "str", "required": True},
    "size": {"type": "int", "required": True},
    "unpack": {"type": "str", "choices": ["zip", "none"], "default": "zip"},
}
MSI = {
    "source": {"type": "str", "default": ""},
    "sha256": {"type": "str", "default": ""},
    "size": {"type": "int", "default": 0},
    "version": {"type": "str", "default": __version__},
    "release": {"type": "str", "default": ""},
    "product_code": {"type": "str", "default": ""},
    "msiexec_fetches": {"type": "bool", "default": False},
}
TOKEN = {
    "issuer": {"type": "str", "required": True},
    "identity": {"type": "str", "required": True},
    "scopes": {"type": "list", "elements": "str", "required": True},
    "lifetime_seconds": {"type": "int", "required": True},
    "signing_key": {"type": "str", "required": True, "no_log": True},
    "revoked": {"type": "list", "elements": "dict", "default": []},
}
HUB = {
    "secrets_file": {"type": "path", "required": True, "no_log": False},
    "days": {"type": "int", "default": 90},
}
SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "msi": {"type": "dict", "options": MSI, "default": {}, "apply_defaults": True},
    "agent": {"type": "dict"},
    "items": {"type": "list", "elements": "dict", "options": ITEM, "default": []},
    "ca": {"type": "str", "default": ""},
    # Its parts say which of them is secret.
    "token": {"type": "dict", "options": TOKEN, "no_log": False},
    "hub": {"type": "dict", "options": HUB},
    "firewall": {"type": "bool", "default": True},
    "reboot": {"type": "str", "choices": ["never", "allowed"], "default": "never"},
    "forbidden_shells": {"type": "str", "choices": ["fail", "accept"], "default": "fail"},
    "reconnect_seconds": {"type": "int", "default": 300},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Install, converge or remove the agent of a Windows desktop; what to do is decided in eyrie.desktops."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(SPEC, required_if=[("state", "present", ["agent"])])
        prompt = Prompt(self._connection, arguments["reconnect_seconds"])
        story = Story(time.sleep)
        try:
            told = self._absent(prompt, story) if arguments["state"] == "absent" else None
            result.update(told or self._present(prompt, story, arguments))
        except Lost as error:
            raise AnsibleActionFail(
                f"{error} Next: run again; what is done already is not done twice."
            ) from error
        except EyrieError as error:
            outcome = error.outcome if isinstance(error, DesktopOutcome) else error.thing
            result.update(failed=True, msg=str(error), desktop={"outcome": outcome, "steps": story.steps})
        except AnsibleError as error:
            if not says_shells_are_forbidden(str(error)):
                raise
            result.update(_forbidden(str(error), arguments["forbidden_shells"]))
        result["round_trips"] = prompt.round_trips
        return result

    def _present(self, prompt: Prompt, story: Story, arguments: dict[str, Any]) -> dict[str, Any]:
        order = Order(
            package=_package(arguments["msi"], arguments["agent"], arguments["ca"]),
            wanted=Wanted(
                arguments["msi"]["version"],
                arguments["agent"],
                arguments["items"],
                arguments["ca"],
                arguments["firewall"],
                self._hub(arguments["hub"], arguments["agent"]),
            ),
            token=_token(arguments["token"]),
            now=time.time(),
            reboot_allowed=arguments["reboot"] == "allowed",
            check=bool(self._task.check_mode),
        )
        report = bring(prompt, order, story)
        desktop = {
            "outcome": "done",
            "version": report.version,
            "facts": public(report.facts),
            "token_renewal": report.token_reason,
            "certificate_renewal": report.certificate_reason,
            "reboot_required": report.reboot_required,
            "reboot_refused": report.reboot_refused,
            "rebooted": report.rebooted,
            "steps": story.steps,
        }
        return {"changed": report.changed, "diff": shown(report.diff), "desktop": desktop}

    def _hub(self, hub: dict[str, Any] | None, agent: dict[str, Any]) -> WantedHub | None:
        """Have the authority at hand that makes the desktop's certificate; it never leaves this host."""
        if hub is None:
            return None
        file = Path(hub["secrets_file"])
        authority = read_authority(self._loader, file)
        if authority is None and self._task.check_mode:
            return None  # on a new site the role pool_hub would make it
        if authority is None:
            raise EyrieError(
                str(file),
                seen="no such file",
                wanted="the pool's certificate authority",
                next_step="run site.yml without --limit: the role pool_hub makes it",
            )
        return WantedHub(WantedCertificate((str(agent.get("name", "")),), hub["days"], "desktop"), authority)

    def _absent(self, prompt: Prompt, story: Story) -> dict[str, Any]:
        there = uninstall(prompt, story, check=bool(self._task.check_mode))
        diff = shown([{"thing": "agent", "before": "installed", "after": "absent"}]) if there else {}
        desktop = {"outcome": "done", "reboot_required": story.reboot, "steps": story.steps}
        return {"changed": there, "diff": diff, "desktop": desktop}


def _package(msi: dict[str, Any], agent: dict[str, Any], ca: str) -> Package:
    pool = agent.get("pool") or {}
    return Package(
        version=msi["version"],
        sha256=msi["sha256"],
        size=msi["size"],
        source=msi["source"],
        release=msi["release"],
        product_code=msi["product_code"],
        properties=(
            ("EYRIE_SERVER", str(pool.get("master", ""))),
            ("EYRIE_POOL", str(pool.get("name", ""))),
        ),
        ca=ca,
        msiexec_fetches=msi["msiexec_fetches"],
        backend=_backend(agent),
    )


def _backend(agent: dict[str, Any]) -> str:
    """Return what runs the guest; a word that is none is named by the agent, which reads all of it."""
    backend = (agent.get("guest") or {}).get("backend")
    return backend if backend in FITS else "qemu"


def _token(wanted: dict[str, Any] | None) -> WantedToken | None:
    if wanted is None:
        return None
    return WantedToken(
        issuer=wanted["issuer"],
        identity=wanted["identity"],
        scopes=frozenset(wanted["scopes"]),
        lifetime_seconds=wanted["lifetime_seconds"],
        signing_key=wanted["signing_key"],
        revocations=revocations(wanted["revoked"]),
    )


def _forbidden(text: str, mode: str) -> dict[str, Any]:
    """Say by name that policy keeps us out; the same MSI comes by GPO or Intune there."""
    told = f"{text} See docs/msi.md."
    desktop = {"outcome": "remote shells forbidden", "steps": []}
    if mode == "fail":
        return {"failed": True, "msg": told, "desktop": desktop}
    return {"changed": False, "warnings": [told], "desktop": desktop}
