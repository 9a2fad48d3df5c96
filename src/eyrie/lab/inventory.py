# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible has to know of a lab's host. Pure."""

from __future__ import annotations

import shlex

from eyrie.lab import node_choice, seed, ssh
from eyrie.lab.model import Host, Topology
from eyrie.lab.paths import Paths
from eyrie.lab.topology import NODE_GROUP
from eyrie.lab.windows import credentials, way_in


def variables(topology: Topology, host: Host) -> dict[str, str]:
    """Return the variables of one host, by name."""
    paths = Paths(topology.name)
    if host.is_windows:
        return {**_common(topology, host), **_winrm(paths)}
    # Ansible formats the path with `%`; ssh then sees %r, the remote user.
    control_path = str(ssh.control_socket(paths, host, "%%r", "ansible"))
    found = {
        **_common(topology, host),
        "ansible_user": "root",
        "ansible_ssh_common_args": shlex.join(ssh.options(topology, paths, host)),
        "ansible_control_path": control_path,
    }
    if host.is_node:
        found["lab_openmosix"] = node_choice.form(host)
    elif NODE_GROUP in host.groups:  # a newer machine that plays a node: its ssh is today's
        found["ansible_ssh_extra_args"] = ""
    return found


def _common(topology: Topology, host: Host) -> dict[str, str]:
    return {
        "ansible_host": str(host.address),
        "lab_name": topology.name,
        "lab_kind": "openmosix" if host.is_node else host.kind,
        "lab_subnet": host.subnet.name,
        "lab_network": str(host.subnet.network),
        "lab_address": str(host.address),
        "lab_router": str(host.subnet.router),
        "lab_package_cache": seed.package_cache(host),
    }


def _winrm(paths: Paths) -> dict[str, str]:
    """Return how a Windows desktop is reached; before the first `up` there is nothing yet to log in with."""
    found = {
        "ansible_user": credentials.USER,
        "ansible_winrm_transport": "ntlm",
        "ansible_winrm_ca_trust_path": str(credentials.authority(paths)),
    }
    for name, path, form in (
        ("ansible_password", credentials.password_file(paths), "{}"),
        ("ansible_winrm_proxy", way_in.port_file(paths), "http://127.0.0.1:{}"),
    ):
        if path.exists():
            found[name] = form.format(path.read_text(encoding="ascii"))
    return found
