# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: openmosix_drain
short_description: Empty an openMosix node, or open it again
description:
  - V(drained) lets nobody in, sends guests home, brings the node's own processes home, and waits until
    C(/proc/hpc/remote) is empty and no process is away. No process is lost.
  - After the deadline the task fails and names the processes that are left. The node stays blocked, so
    that nothing new comes while somebody looks; V(active) opens it again.
  - Drain a node before it is switched off. One that dies with guests leaves their homes unable to list
    processes.
  - A node whose openMosix is off is empty.
options:
  state:
    description: The wanted state.
    type: str
    choices: [drained, active]
    required: true
  deadline_seconds:
    description: How long the node may take.
    type: int
    default: 60
attributes:
  check_mode:
    description: Tells whether anything would be done.
    support: full
  diff_mode:
    description: Shows the switches and the processes that are in the way.
    support: full
  platform:
    description: Bare openMosix nodes. A POSIX shell of 2004 (BusyBox v1.00-pre10) is enough, no Python is
      needed.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Empty the node
  eyrie.pool.openmosix_drain:
    state: drained
"""

RETURN = r"""
left:
  description: Processes that are in the way.
  returned: always
  type: list
  elements: str
  sample: ["guest 77 (ash, process 240 of node 2)", "process 901 on node 2, which is down"]
openmosix:
  description:
    - What the node says of itself. C(up) are the numbers of the nodes that it sees up, as spans; C(peers)
      tells more of each, in pools of up to 300. C(guests) are processes of others here, C(away) are
      processes of this node elsewhere; C(table) is what its kernel runs, C(map_text) what its file says.
  returned: success
  type: dict
  sample:
    release: 2.4.26-om
    build: "#2 SMP Sun Aug 15 21:24:00 EST 2004"
    openmosix: openMosix Version 1.8.1
    tools: sha256 5c26a1654819b825
    number: 1
    enabled: true
    own_address: 10.77.0.1
    table: "1 10.77.0.1 8\n"
    table_sha256: 70ab48d8787e4bb2395c34f3ec4275be21f98379638817ddbd7cd39324184d37
    map_text: "1 10.77.0.1 8\n"
    map_md5: c56cb2ef9a9688020cce0b619a12a622
    up: 1-2
    peers: [{number: 2, status: 3, load: 0, speed: 34440}]
    load: 29
    guests: [{pid: 77, home: 2, home_pid: 240, command: ash}]
    away: [{pid: 901, node: 2}]
    empty: false
    blocked: false
    staying: false
    daemons: []
round_trips:
  description: How often the node was asked.
  returned: success
  type: int
  sample: 1
"""
