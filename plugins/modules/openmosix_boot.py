# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: openmosix_boot
short_description: Have openMosix start when its node boots
description:
  - Writes C(/etc/init.d/openmosix), which applies the map at boot, and empties the node before it goes
    down. Links it into the run levels where the node has any (System V); BusyBox has none, so nothing
    starts it there.
  - Opens the firewall between nodes, in a chain of its own (UDP 5000 to 5700, TCP 4660, ICMP), where the
    node has iptables. Closes it again with O(state=absent).
  - Ends autodiscovery daemons, which would rewrite the table, unless O(autodiscovery_interface) asks for
    one.
options:
  state:
    description: With V(absent) the script, its links and the chain are removed.
    type: str
    choices: [present, absent]
    default: present
  networks:
    description: The pool's subnets, from which nodes are let in.
    type: list
    elements: str
    default: []
  firewall:
    description: Whether to open the firewall.
    type: bool
    default: true
  autodiscovery_interface:
    description: Interface on which C(omdiscd) looks for peers. Empty for none.
    type: str
  facts:
    description: Name of the variable that M(eyrie.pool.openmosix_info) was registered in, so as not to
      ask again.
    type: str
attributes:
  check_mode:
    description: Reads, and tells what would be done.
    support: full
  diff_mode:
    description: Shows what is done or would be.
    support: full
  platform:
    description: Bare openMosix nodes. A POSIX shell of 2004 is enough, no Python is needed.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Have openMosix start at boot
  eyrie.pool.openmosix_boot:
    networks: [10.77.0.0/24]
"""

RETURN = r"""
openmosix_boot:
  description: What was done or would be, and the folder of the run levels, if there are any.
  returned: success
  type: dict
  sample: {todo: [write /etc/init.d/openmosix], run_levels: /etc/rc.d}
"""
