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
options:
  mode:
    description: C(outbound), C(hub), C(shadow), C(ipip), C(wireguard) or C(ipsec).
    type: str
    required: true
  subnets:
    description: The office's subnets, each with C(name), C(network) and, if it is not 1500, C(mtu).
    type: list
    elements: dict
    required: true
  private:
    description: The network of the private addresses.
    type: str
    default: 10.88.0.0/16
  reserved:
    description: Networks that others use, each with C(name) and C(network).
    type: list
    elements: dict
    default: []
  topology:
    description: Whether all hosts have tunnels to one another, or to gateways; V(auto) decides by their
      number.
    type: str
    choices: [auto, mesh, star]
    default: auto
  fou:
    description: Carry IP-in-IP inside UDP.
    type: bool
    default: false
  legacy_nodes:
    description: In mode C(ipsec), let openMosix nodes take part by IKEv1 and weak ciphers.
    type: bool
    default: false
  hosts:
    description: Names of the hosts. Each one's address is C(pool_network_address), else C(ansible_host).
    type: list
    elements: str
    required: true
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
