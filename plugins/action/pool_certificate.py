# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import shlex
import tempfile
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleActionFail
from ansible_collections.eyrie.pool.plugins.plugin_utils.file_set import TextSetAction
from ansible_collections.eyrie.pool.plugins.plugin_utils.pool_authority import read_authority
from ansible_collections.eyrie.pool.plugins.plugin_utils.pool_secrets import keep

from eyrie.artefacts.file_set import File
from eyrie.credentials.authority import (
    Authority,
    WantedCertificate,
    certificate_renewal_reason,
    issue,
    new_authority,
    revocations,
    serial_numbers,
)
from eyrie.errors import EyrieError

_HEADER = "# The pool's certificate authority. Keep it secret; ansible-vault may encrypt this file.\n"


class ActionModule(TextSetAction):
    """Give a host a certificate of the pool's authority, made on the control host, when it needs one."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            {
                "secrets_file": {"type": "path", "required": True, "no_log": False},
                "pool": {"type": "str", "required": True},
                "names": {"type": "list", "elements": "str", "required": True},
                "use": {"type": "str", "choices": ["server", "desktop"], "default": "server"},
                "days": {"type": "int", "default": 90},
                "dest": {"type": "path", "required": True},
                "owner": {"type": "str", "default": "root"},
                "group": {"type": "str", "default": "root"},
                "mode": {"type": "str", "default": "0640"},
                "revoked": {"type": "list", "elements": "str", "default": []},
            }
        )
        wanted = WantedCertificate(tuple(arguments["names"]), arguments["days"], arguments["use"])
        now = datetime.now(UTC)
        try:
            authority = self._authority(Path(arguments["secrets_file"]), arguments["pool"], now)
            pem = self._pem(arguments["dest"])
            revoked = serial_numbers(arguments["revoked"])
            reason = certificate_renewal_reason(pem, wanted, authority.certificate, now, revoked)
            crl = revocations(authority, revoked)
            if reason:
                pem = issue(authority, wanted, now)
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error
        result["changed"] = self._bring(arguments, pem)
        result["pool_certificate"] = {
            "authority": authority.certificate,
            "reason": reason,
            "revocations": crl,
        }
        if reason:
            result["diff"] = {"before": "", "after": f"{arguments['dest']}: {reason}\n"}
        return result

    def _authority(self, file: Path, pool: str, now: datetime) -> Authority:
        """Read the authority, which may be encrypted, or make it."""
        authority = read_authority(self._loader, file)
        if authority is None:
            authority = new_authority(pool, now)
            if not self._task.check_mode:
                pair = {"certificate": authority.certificate, "private_key": authority.private_key}
                keep(file, _HEADER + yaml.safe_dump(pair, default_style="|"))
        return authority

    def _pem(self, path: str) -> str:
        quoted = shlex.quote(path)
        said = self.command(f"if [ -e {quoted} ]; then base64 {quoted}; fi", f"read {path}")
        return base64.b64decode(said).decode("utf-8", "replace")

    def _bring(self, arguments: dict[str, Any], pem: str) -> bool:
        """See to content, owner and mode; the new key is on the control host in a file of its own, 0600."""
        content = pem.encode()
        file = File(
            arguments["dest"],
            arguments["mode"],
            sha256(content).hexdigest(),
            arguments["owner"],
            arguments["group"],
        )
        with tempfile.NamedTemporaryFile() as local:
            local.write(content)
            local.flush()
            paths, _ = self.change({file: Path(local.name)})
        return bool(paths)
