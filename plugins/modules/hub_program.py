# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: hub_program
short_description: Bring the program of the pool's hub onto a master
description:
  - Builds the hub from the C(eyrie) package installed on the control host, as one executable archive,
    the same to the byte whenever its sources are, and copies it to the master if the SHA-256 there differs.
options:
  dest:
    description:
      - Path of the program on the master. It is replaced whole; a running hub keeps the old one until it
        restarts.
    type: path
    required: true
attributes:
  check_mode:
    description: Tells whether the program would be copied.
    support: full
  diff_mode:
    description: Names the file and the SHA-256 it would have.
    support: full
  platform:
    description: POSIX masters.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Install the hub's program
  eyrie.pool.hub_program:
    dest: /usr/lib/eyrie/eyrie-hub.pyz
"""

RETURN = r"""
hub_program:
  description: The program as it is on the master, or would be in check mode.
  returned: success
  type: dict
  sample:
    dest: /usr/lib/eyrie/eyrie-hub.pyz
    sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
"""
