# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory of a lab: the hosts of lab.yml, reached through the lab's own namespace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin

from eyrie.errors import EyrieError
from eyrie.lab import inventory, node_choice, topology
from eyrie.lab.paths import Paths

DOCUMENTATION = r"""
name: lab
short_description: Hosts of an Eyrie lab
version_added: 0.1.0
author: The Eyrie authors (@eyrie)
description:
  - Reads the description of an office in a box, as C(eyrie lab up) does.
  - Each host is reached by ssh through the lab's own network namespace, with the keys and host keys that the
    lab made. No address of the lab is routed on the machine itself.
  - A Windows desktop is reached by WinRM through a proxy that the lab opens on the machine's loopback, with
    the password and the certificate authority that the lab made; C(eyrie lab up) has to have run before.
  - Host variables are C(lab_name), C(lab_kind), C(lab_subnet), C(lab_network), C(lab_address), C(lab_router)
    and C(lab_package_cache), beside those of the connection; of an openMosix node also C(lab_openmosix),
    C(genuine) or C(fake).
options:
  plugin:
    description: Says that this file is for this plugin.
    type: str
    required: true
    choices: [eyrie.pool.lab]
  name:
    description:
      - Name of the lab. Labs with different names stand side by side, even with equal addresses.
      - The environment variable E(EYRIE_LAB_NAME), where set, is used instead.
    type: str
    required: true
  subnets:
    description:
      - The office's subnets by name, each with its C(network).
      - The first address of a network is the router's.
    type: dict
    required: true
  hosts:
    description:
      - The hosts by name, each with C(kind) (C(container), C(vm), C(windows) or C(openmosix)), C(subnet),
        C(address) and, if wanted, C(groups), C(mac), C(memory_mib) and C(cpus).
    type: dict
    required: true
"""

EXAMPLES = r"""
# inventory/lab/lab.yml
plugin: eyrie.pool.lab
name: office
subnets:
  hq: {network: 10.77.1.0/24}
hosts:
  master: {kind: container, subnet: hq, address: 10.77.1.10, groups: [masters, htcondor]}
  desk-1: {kind: container, subnet: hq, address: 10.77.1.21, groups: [linux_desktops, agent]}
"""


class InventoryModule(BaseInventoryPlugin):  # type: ignore[misc]
    """Thin: the rules and the names are those of eyrie.lab."""

    NAME = "eyrie.pool.lab"

    def verify_file(self, path: str) -> bool:
        """Accept lab.yml only: other files of the directory are other plugins'."""
        return bool(super().verify_file(path)) and Path(path).name == "lab.yml"

    def parse(self, inventory_data: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Add groups, hosts and variables."""
        super().parse(inventory_data, loader, path, cache)
        self._read_config_data(path)
        try:
            # A file's own value beats an option's `env`; here the environment has to win, as `--name` does.
            name = os.environ.get("EYRIE_LAB_NAME") or str(self.get_option("name"))
            parsed = node_choice.resolve(topology.load(Path(path), name), Paths(name))
        except EyrieError as error:
            raise AnsibleParserError(str(error)) from error
        for host in parsed.hosts:
            self.inventory.add_host(host.name)
            for group in host.groups:
                self.inventory.add_group(group)
                self.inventory.add_child(group, host.name)
            for key, value in inventory.variables(parsed, host).items():
                self.inventory.set_variable(host.name, key, value)
