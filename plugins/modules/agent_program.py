# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: agent_program
short_description: Bring the Eyrie agent's program onto a desktop
description:
  - Builds the agent from the C(eyrie) package installed on the control host, as one executable archive,
    the same to the byte whenever its sources are, and copies it to the desktop if the SHA-256 there differs.
  - Nothing but a POSIX shell, C(sha256sum) and C(install) is needed on the desktop.
options:
  dest:
    description:
      - Path of the program on the desktop. It is replaced whole; a running agent keeps the old one until it
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
    description: POSIX desktops.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Install the agent's program
  eyrie.pool.agent_program:
    dest: /usr/lib/eyrie/eyrie-agent.pyz
"""

RETURN = r"""
agent_program:
  description: The program as it is on the desktop, or would be in check mode.
  returned: success
  type: dict
  sample:
    dest: /usr/lib/eyrie/eyrie-agent.pyz
    sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
"""
