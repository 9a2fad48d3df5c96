# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: network_answer
short_description: Ask a host how it reaches the others of its pool's network
description:
  - Runs one script there, in one round trip. It sends small and full-sized packets to the private
    addresses of the others (of a large pool, to those it has tunnels to, and one of each 256 addresses),
    and counts what goes over the office's wire meanwhile, on the interface itself.
  - The rules that count are gone when the script ends. No key is read or printed. Needs root there.
extends_documentation_fragment: eyrie.pool.pool_network
options:
  addresses_file:
    description: The file of the addresses, on the control host. It is read, never written.
    type: path
    required: true
attributes:
  check_mode:
    description: Asks in check mode as well.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
  platform:
    description: Needs sh, ip, nft and ping on the host, and no Python.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.3.0
"""

EXAMPLES = r"""
- name: Ask every host
  eyrie.pool.network_answer:
    mode: wireguard
    subnets: [{name: hq, network: 10.77.1.0/24}]
    hosts: "{{ groups['pool_network'] }}"
    addresses_file: "{{ inventory_dir }}/pool-addresses.yml"
  become: true
  register: __network_answer
"""

RETURN = r"""
stdout:
  description: What the host answered, for M(eyrie.pool.network_check).
  returned: always
  type: str
  sample: "@time 1795287000"
"""
