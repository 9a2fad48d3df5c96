# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: node_table
short_description: Give an openMosix node its node table
description:
  - Judges the table first, exactly as the node's own C(setpe) would and more strictly, and reads the
    node. Only then is anything written; a table that is refused leaves the old one running, and the
    message names the line.
  - The kernel takes the table by C(setpe -w) where the node's own mapping stays (its number, and where its
    range begins). Where it changes, openMosix has to restart (C(setpe -W)), which brings every process
    home; that needs O(allow_restart), and the node is drained first and opened again afterwards.
  - C(/etc/openmosix.map) is replaced in one step; the file before it stays as C(/etc/openmosix.map.old).
  - Afterwards the table is read back, and the peers that were up and keep their numbers have to be up
    again.
  - A node that runs the table already costs one round trip and is not touched, whatever the order of its
    lines.
options:
  state:
    description:
      - With V(absent) the node is drained, openMosix is switched off and the map is removed.
    type: str
    choices: [present, absent]
    default: present
  content:
    description: The table. Either this or O(src).
    type: str
  src:
    description: Path of the table on the control host.
    type: path
  address:
    description:
      - The node's own address. Its host name has to have this address in the node's C(/etc/hosts), as
        C(setpe) looks there; else nothing is touched. The default is C(ansible_host).
    type: str
  networks:
    description: The pool's subnets. Ranges outside of them are refused.
    type: list
    elements: str
    default: []
  allow_restart:
    description: Whether the node's own number may change.
    type: bool
    default: false
  drain_seconds:
    description: How long the node may take to become empty, before a restart and before it is switched
      off.
    type: int
    default: 60
  peers:
    description: Numbers that have to be up afterwards, besides those that were up before.
    type: list
    elements: int
    default: []
  wait_seconds:
    description: How long the peers may take to be up.
    type: int
    default: 20
  facts:
    description:
      - Name of the variable that M(eyrie.pool.openmosix_info) was registered in. With it a node that runs
        the table already is not asked at all.
    type: str
attributes:
  check_mode:
    description: Judges, reads, and tells what would be done.
    support: full
  diff_mode:
    description: Shows the table that the kernel runs, or the file if only that is wrong, beside the new
      one.
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
- name: Give the node the pool's table
  eyrie.pool.node_table:
    content: "1 10.77.0.1 254"

- name: Renumber it, and bring its processes home before
  eyrie.pool.node_table:
    src: openmosix.map
    allow_restart: true
"""

RETURN = r"""
node_table:
  description: The node's number, the canonical table, and what was done or would be in check mode.
  returned: when O(state=present)
  type: dict
  sample: {number: 1, step: setpe -w, table: "1 10.77.0.1 254\n"}
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
