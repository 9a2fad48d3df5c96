# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: inventory_check
short_description: Find what is wrong with the inventory before anything is changed
description:
  - Reads the inventory alone, on the control host. Finds names and addresses that two hosts share, hosts in
    groups they cannot be in, variables that no role knows, values of the wrong type, form or range, and hosts
    that disagree about the pool.
  - Fails with everything it found at once, and changes nothing.
options: {}
attributes:
  check_mode:
    description: Does the same, as it changes nothing.
    support: full
  diff_mode:
    description: There is nothing to differ.
    support: none
  platform:
    description: Runs on the control host.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Validate the inventory
  hosts: all
  gather_facts: false
  tasks:
    - name: Ensure the inventory describes a pool that can work
      eyrie.pool.inventory_check:
      run_once: true
"""

RETURN = r"""
problems:
  description: What is wrong, a sentence each.
  returned: always
  type: list
  elements: str
  sample:
    - >-
      htcondor_port of master: found 80, wanted a number from 1024 to 65535.
      Next: correct it in the inventory
"""
