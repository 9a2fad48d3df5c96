# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible has to know of a lab's host. Pure."""

from __future__ import annotations

import shlex

from eyrie.lab import node_choice, seed, ssh
from eyrie.lab.model import Host, Topology
from eyrie.lab.paths import Paths
from eyrie.lab.topology import NODE_GROUP


def variables(topology: Topology, host: Host) -> dict[str, str]:
    """Return the variables of one host, by name."""
    paths = Paths(topology.name)
    # Ansible formats the path with `%`; ssh then sees %r, the remote user.
    control_path = str(ssh.control_socket(paths, host, "%%r", "ansible"))
    found = {
        "ansible_host": str(host.address),
        "ansible_user": "root",
        "ansible_ssh_common_args": shlex.join(ssh.options(topology, paths, host)),
        "ansible_control_path": control_path,
        "lab_name": topology.name,
        "lab_kind": "openmosix" if host.is_node else host.kind,
        "lab_subnet": host.subnet.name,
        "lab_network": str(host.subnet.network),
        "lab_address": str(host.address),
        "lab_router": str(host.subnet.router),
        "lab_package_cache": seed.package_cache(host),
    }
    if host.is_node:
        found["lab_openmosix"] = node_choice.form(host)
    elif NODE_GROUP in host.groups:  # a newer machine that plays a node: its ssh is today's
        found["ansible_ssh_extra_args"] = ""
    return found
