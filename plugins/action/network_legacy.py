# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import secrets
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleActionFail
from ansible_collections.eyrie.pool.plugins.plugin_utils import pool_network
from ansible_collections.eyrie.pool.plugins.plugin_utils.file_set import TextSetAction
from ansible_collections.eyrie.pool.plugins.plugin_utils.pool_secrets import keep

from eyrie.artefacts.file_set import File
from eyrie.errors import EyrieError
from eyrie.networks.render import ike1, node_sh

_HEADER = "# Of it are all keys for openMosix nodes. Keep it secret; ansible-vault may encrypt this file.\n"


class ActionModule(TextSetAction):
    """Bring a host its keys for IKEv1, and an openMosix node into the network by them, in one round trip.

    They go by standard input, and come neither into a result nor into a list of processes.
    """

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        more = {"secrets_file": {"type": "path", "required": True, "no_log": False}}
        _valid, arguments = self.validate_argument_spec({**pool_network.WANTED, **pool_network.FILES, **more})
        variables = task_vars or {}
        try:
            host = pool_network.planned(arguments, variables).by_name[variables["inventory_hostname"]]
            keys = ike1.keys(host, self._secret(Path(arguments["secrets_file"])))
        except (EyrieError, OSError) as error:
            raise AnsibleActionFail(str(error)) from error
        if host.kind == "openmosix":
            only_say = "yes" if self._task.check_mode else "no"
            script = f"set -- {only_say}\n{node_sh.present(host, keys)}"
            changed = self.command(script, "have the node be in the network").splitlines()
        else:
            changed = self._bring(keys)
        result.update(changed=bool(changed), network_legacy={"changed": changed})
        if changed:
            result["diff"] = {"before": "", "after": "".join(f"{each}\n" for each in changed)}
        return result

    def _secret(self, file: Path) -> str:
        """Read what all keys are made of, which may be encrypted, or make it."""
        if file.exists():
            data = self._loader.load_from_file(str(file))
            secret = str(data.get("secret", "")) if isinstance(data, dict) else ""
            if len(secret) < 32:
                raise EyrieError(
                    str(file), seen="no secret of 32 characters or more", wanted="secret: ...",
                    next_step="restore it, or remove it and run site.yml: all get other keys",
                )  # fmt: skip
            return secret
        secret = secrets.token_hex(32)
        if not self._task.check_mode:
            keep(file, _HEADER + yaml.safe_dump({"secret": secret}))
        return secret

    def _bring(self, keys: str) -> list[str]:
        content = keys.encode()
        file = File(ike1.KEYS, "0600", sha256(content).hexdigest(), "root", "root")
        with tempfile.NamedTemporaryFile() as local:
            local.write(content)
            local.flush()
            paths, _ = self.change({file: Path(local.name)})
        return paths
