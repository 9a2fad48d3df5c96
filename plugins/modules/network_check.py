# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: network_check
short_description: Prove that a pool's network is what packets meet
description:
  - Judges what M(eyrie.pool.network_answer) registered for each host, so a pool costs one round trip a
    host. Runs once.
  - Looked at are every pair by private address, with small and with full-sized packets; whether the
    office's wire carried what the mode says and nothing in the clear, by counters of the interface; the
    way back; private addresses, rules and clocks.
  - Anything that is not as planned makes the task fail; the message names host or pair and the likely
    cause.
extends_documentation_fragment: eyrie.pool.pool_network
options:
  addresses_file:
    description: The file of the addresses, on the control host. It is read, never written.
    type: path
    required: true
  answers:
    description: Name of the variable that M(eyrie.pool.network_answer) was registered in, on every host.
    type: str
    required: true
  require_all:
    description: Whether a host that was not reached is a fault too.
    type: bool
    default: false
attributes:
  check_mode:
    description: Judges in check mode as well.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
  platform:
    description: Runs on the control host and connects to no node.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.3.0
"""

EXAMPLES = r"""
- name: Ensure hosts reach one another as planned
  eyrie.pool.network_check:
    mode: wireguard
    subnets: [{name: hq, network: 10.77.1.0/24}]
    hosts: "{{ groups['pool_network'] }}"
    addresses_file: "{{ inventory_dir }}/pool-addresses.yml"
    answers: __network_answer
  run_once: true
"""

RETURN = r"""
network_check:
  description: The matrix, what is not as planned, and who was not reached.
  returned: always
  type: dict
  sample:
    mode: wireguard
    matrix: {desk-1: {master: ok}, master: {desk-1: ok}}
    findings: []
    unreachable: []
"""
