# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: pool_consistency
short_description: Prove that all nodes of a pool agree
description:
  - Compares what M(eyrie.pool.openmosix_info) registered for each node, so a pool costs one round trip a
    node. Runs once.
  - Compared are kernel release and build, openMosix version, tools version, the running node table and
    the map file with O(table), each node's own number, whether every pair of reached nodes sees one
    another up, and whether an autodiscovery daemon runs.
  - Any difference makes the task fail; the message says which node differs, and in which line of the
    table.
  - A node that was not reached is named and not compared.
options:
  nodes:
    description: Names of the pool's nodes.
    type: list
    elements: str
    required: true
  facts:
    description: Name of the variable that M(eyrie.pool.openmosix_info) was registered in, on every node.
    type: str
    required: true
  table:
    description: The table that every node should have.
    type: str
    required: true
  autodiscovery:
    description: Whether an autodiscovery daemon may run.
    type: bool
    default: false
  require_all:
    description: Whether a node that was not reached is a difference too.
    type: bool
    default: false
attributes:
  check_mode:
    description: Compares in check mode as well.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
  platform:
    description: Runs on the control host and connects to no node.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Ask every node
  eyrie.pool.openmosix_info:
  register: __pool_node

- name: Ensure they agree
  eyrie.pool.pool_consistency:
    nodes: "{{ groups['openmosix_tools'] }}"
    facts: __pool_node
    table: "1 10.77.0.1 254"
  run_once: true
"""

RETURN = r"""
pool_consistency:
  description: What was compared, what differs, and who was not reached.
  returned: always
  type: dict
  sample:
    compared: 2
    findings: ["running node table of n2: line 1: found '1 10.77.0.1 8', wanted '1 10.77.0.1 254'"]
    unreachable: [n3]
    table_sha256: 70ab48d8787e4bb2395c34f3ec4275be21f98379638817ddbd7cd39324184d37
"""
