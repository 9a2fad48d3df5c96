# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: network_legacy
short_description: Bring a host its keys for IKEv1 with openMosix nodes
description:
  - Each pair of an openMosix node and another host has a key of its own, made on the control host of one
    secret, which is itself made at the first run. 3DES, SHA1 and MODP1536 are all that the nodes have.
  - A host of today gets its keys as a file of strongSwan. An openMosix node gets keys, script, rules and
    tunnels, now and for its next boot, by plain sh in one round trip.
  - Keys go by standard input; none is returned, logged or seen in a list of processes.
extends_documentation_fragment: eyrie.pool.pool_network
options:
  addresses_file:
    description: The file of the addresses, on the control host. It is read, never written.
    type: path
    required: true
  secrets_file:
    description: File on the control host that keeps the secret. C(ansible-vault) may encrypt it.
    type: path
    required: true
attributes:
  check_mode:
    description: Tells what would change.
    support: full
  diff_mode:
    description: Names what changes, and never a key.
    support: full
  platform:
    description: Needs sh on the host, and on a node FreeS/WAN and iptables; no Python.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.4.0
"""

EXAMPLES = r"""
- name: Have the keys that openMosix nodes need
  eyrie.pool.network_legacy:
    mode: ipsec
    legacy_nodes: true
    subnets: [{name: hq, network: 10.77.1.0/24}]
    hosts: "{{ groups['pool_network'] }}"
    addresses_file: "{{ inventory_dir }}/pool-addresses.yml"
    secrets_file: "{{ inventory_dir }}/secrets/ike1.yml"
  throttle: 1
"""

RETURN = r"""
network_legacy:
  description: What was not right.
  returned: success
  type: dict
  sample:
    changed: [keys /etc/eyrie-network.keys, rules, tunnel desk-1]
"""
