# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: openmosix_info
short_description: Ask an openMosix node for everything, in one round trip
description:
  - Reads kernel release and build, openMosix version, own number, node table, peers and their status,
    load, guests, processes that are away, and what the map file says. Changes nothing.
  - Never looks into a process that is away, which would hang where the other node is dead. For the same
    reason such a process is told by number, not by name.
  - The version of the tools is what C(/etc/openmosix.tools) says, else a hash of the programs.
options:
  peers:
    description:
      - Numbers whose status is read. Without it those of the whole table, if it has room for at most
        1,000 nodes; the kernel needs minutes to tell of more.
    type: list
    elements: int
    default: []
  wait_seconds:
    description: How long to wait for all O(peers) to be up before reading.
    type: int
    default: 0
attributes:
  check_mode:
    description: Reads in check mode as well.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
  platform:
    description: Bare openMosix nodes. A POSIX shell of 2004 (BusyBox v1.00-pre10) is enough, no Python is
      needed.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Ask the node for everything
  eyrie.pool.openmosix_info:
  register: __node
"""

RETURN = r"""
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
