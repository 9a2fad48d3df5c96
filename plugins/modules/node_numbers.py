# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: node_numbers
short_description: Number a pool's nodes by their subnets, and judge the table for every one of them
description:
  - Plans the pool's node table from its subnets and the numbers given so far. Each subnet is one range
    and keeps its numbers for ever; a new subnet is appended.
  - The numbers are kept in a file that is to be committed. One that was edited by hand, that is older
    than the nodes' tables, or that is lost although nodes carry a table, is refused.
  - The table is judged for every node of the pool, also those that are down, before any node is written
    to.
options:
  subnets:
    description: The pool's subnets, each with C(name), C(network) and, if need be, C(first) and C(last)
      address.
    type: list
    elements: dict
    required: true
  nodes:
    description: Names of the pool's nodes. Each one's address is C(openmosix_tools_address), else
      C(ansible_host).
    type: list
    elements: str
    required: true
  numbers_file:
    description: The file of the numbers, on the control host.
    type: path
    required: true
  facts:
    description:
      - Name of the variable that M(eyrie.pool.openmosix_info) was registered in. With it the numbers file
        is compared with the tables that the nodes run.
    type: str
  new:
    description: Number the pool anew, whatever the file and the nodes say. Every node restarts.
    type: bool
    default: false
attributes:
  check_mode:
    description: Plans and judges, and leaves the file as it is.
    support: full
  diff_mode:
    description: Shows the numbers file.
    support: full
  platform:
    description: Runs on the control host and connects to no node.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Number the pool's nodes
  eyrie.pool.node_numbers:
    subnets: [{name: hq, network: 10.77.0.0/24}]
    nodes: "{{ groups['openmosix_tools'] }}"
    numbers_file: "{{ inventory_dir }}/openmosix-numbers.yml"
  run_once: true
"""

RETURN = r"""
node_numbers:
  description: The table, each node's number, and what the table does to the pool.
  returned: success
  type: dict
  sample:
    table: "1 10.77.0.1 254\n"
    numbers: {n1: 1, n2: 2}
    effect: append only
    restarts: []
    notes: []
"""
