# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible has to know of a lab's host. Pure."""

from __future__ import annotations

import shlex

from eyrie.lab import seed, ssh
from eyrie.lab.model import Host, Topology
from eyrie.lab.paths import Paths


def variables(topology: Topology, host: Host) -> dict[str, str]:
    """Return the variables of one host, by name."""
    paths = Paths(topology.name)
    # Ansible formats the path with `%`; ssh then sees %r, the remote user.
    control_path = str(ssh.control_socket(paths, host, "%%r", "ansible"))
    return {
        "ansible_host": str(host.address),
        "ansible_user": "root",
        "ansible_ssh_common_args": shlex.join(ssh.options(topology, paths, host)),
        "ansible_control_path": control_path,
        "lab_name": topology.name,
        "lab_kind": host.kind,
        "lab_subnet": host.subnet.name,
        "lab_network": str(host.subnet.network),
        "lab_address": str(host.address),
        "lab_router": str(host.subnet.router),
        "lab_package_cache": seed.package_cache(host),
    }
