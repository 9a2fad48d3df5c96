# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import asdict
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.eyrie.pool.plugins.plugin_utils import pool_network

from eyrie.committed import replace
from eyrie.errors import EyrieError
from eyrie.networks import HostPlan, Refused, Wanted, keys, own, plan
from eyrie.networks.render import OURS, files, ike1, node_sh
from eyrie.networks.state import dump, load, write

if TYPE_CHECKING:
    from collections.abc import Mapping

_MORE = {
    "keys_file": {"type": "path", "no_log": False},
    "addresses": {"type": "str"},
    "public_keys": {"type": "str", "no_log": False},
    "new": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Plan the pool's network on the control host, for all of its hosts at once."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            {**pool_network.WANTED, **pool_network.FILES, **_MORE}
        )
        variables = task_vars or {}
        path = Path(arguments["addresses_file"])
        try:
            wanted = pool_network.wanted(arguments, variables)
            state = load(path.read_bytes(), path.name) if path.exists() else None
            found = _found(arguments, variables, wanted)
            done = plan(wanted, state, found=found, new=arguments["new"])
            moved = state is None or dump(state) != dump(done.state)
            if moved and not self._task.check_mode:
                write(path, done.state)
            public, learned = self._keys(arguments, variables)
            texts = {host.name: _host(host, public) for host in done.hosts}
        except (EyrieError, OSError) as error:
            said = error.faults if isinstance(error, Refused) else (error,)
            sentences = "; ".join(map(str, said))
            raise AnsibleActionFail(f"The pool's network cannot be: {sentences}") from error
        result.update(
            changed=moved or learned,
            network_plan={
                "mode": done.mode,
                "topology": done.topology,
                "notes": list(done.notes),
                "hosts": texts,
            },
            diff={
                "before_header": path.name,
                "after_header": path.name,
                "before": dump(state) if state else "",
                "after": dump(done.state),
            }
            if moved
            else {},
        )
        return result

    def _keys(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> tuple[dict[str, str], bool]:
        """Return the public keys of all hosts, with what they told in this run; whether any is new."""
        if not arguments["keys_file"]:
            return {}, False
        path = Path(arguments["keys_file"])
        known = keys.load(path.read_bytes(), path.name) if path.exists() else {}
        told = pool_network.told(arguments["hosts"], variables, arguments["public_keys"])
        public = keys.merged(known, {name: text.strip() for name, text in told.items()})
        if public != known and not self._task.check_mode:
            replace(path, keys.dump(public))
        return public, public != known


def _found(arguments: Mapping[str, Any], variables: Mapping[str, Any], wanted: Wanted) -> dict[str, str]:
    """Return the private addresses that hosts carry; refuse one that is behind address translation."""
    network = IPv4Network(wanted.private)
    told = pool_network.told(arguments["hosts"], variables, arguments["addresses"])
    faults = [
        fault
        for host in wanted.hosts
        if host.name in told and not host.nat and wanted.mode not in ("outbound", "hub")
        if (fault := own.translated(host.name, host.dotted, told[host.name]))
    ]
    if faults:
        raise Refused(faults)
    carried = {name: own.private(output, network) for name, output in told.items()}
    return {name: address for name, address in carried.items() if address}


def _host(host: HostPlan, public: dict[str, str]) -> dict[str, Any]:
    written = files(host, public)
    # What network_legacy writes.
    keys = {ike1.KEYS} if host.legacy else set()
    return {
        "official": host.official,
        "private": host.private,
        "interface": f"{host.private}/{host.prefix_length}" if host.private else "",
        "device": host.device,
        "mtu": host.mtu,
        "mss": host.mss,
        "forwards": host.forwards,
        "node": node_sh.present(host) if host.kind == "openmosix" and host.mode in ("shadow", "ipip") else "",
        "files": [asdict(each) for each in written],
        "absent": sorted(set(OURS) - {each.path for each in written} - keys),
        "legacy": [peer.name for peer in host.legacy],
    }
