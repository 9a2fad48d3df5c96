# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: network_plan
short_description: Plan a pool's own network, for all of its hosts at once
description:
  - Gives each host a private address beside its official one, for ever, and works out device, peers,
    routes, MTU and firewall rules of every host. Connects to no host.
  - Addresses are kept in a file that is to be committed. One that was edited by hand, that is older than
    what hosts carry, or that is lost although hosts carry private addresses, is refused.
  - What cannot work is refused with every reason, before any host is touched.
extends_documentation_fragment: eyrie.pool.pool_network
options:
  addresses_file:
    description: The file of the addresses, on the control host.
    type: path
    required: true
  keys_file:
    description: The file of the public keys, on the control host.
    type: path
  addresses:
    description: Name of the variable in which the output of C(ip -4 -o address show) was registered.
    type: str
  public_keys:
    description: Name of the variable in which each host's public key of WireGuard was registered.
    type: str
  new:
    description: Give every address anew, whatever the file and the hosts say.
    type: bool
    default: false
attributes:
  check_mode:
    description: Plans, and leaves the files as they are.
    support: full
  diff_mode:
    description: Shows the file of the addresses.
    support: full
  platform:
    description: Runs on the control host and connects to no node.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.3.0
"""

EXAMPLES = r"""
- name: Plan the pool's network
  eyrie.pool.network_plan:
    mode: wireguard
    subnets: [{name: hq, network: 10.77.1.0/24}]
    hosts: "{{ groups['pool_network'] }}"
    addresses_file: "{{ inventory_dir }}/pool-addresses.yml"
  run_once: true
"""

RETURN = r"""
network_plan:
  description: The plan, with the files of every host.
  returned: always
  type: dict
  sample:
    mode: wireguard
    topology: mesh
    notes: ["mesh: 3 hosts, at most 32 have tunnels to one another"]
    hosts:
      desk-1: {official: 10.77.1.21, private: 10.88.0.21, device: eyrie-wg, mtu: 1440, mss: 1400}
"""
