# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: shell_script
short_description: Run a POSIX sh script on a host in one round trip
description:
  - The script goes by standard input to C(sh); no file is left there, no terminal is opened, and no process
    list shows it. It must not read standard input itself.
  - For what C(ansible.builtin.script) needs four round trips for, and C(ansible.builtin.shell) a Python.
  - It is skipped in check mode; give C(check_mode=false) to one that changes nothing.
options:
  script:
    description: The script's text.
    type: str
    required: true
  arguments:
    description: Its arguments, which it sees as C($1) and so on.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Is not run.
    support: none
  diff_mode:
    description: Shows nothing.
    support: none
  platform:
    description: POSIX hosts.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.3.0
"""

EXAMPLES = r"""
- name: Ask what is there
  eyrie.pool.shell_script:
    script: "{{ lookup('ansible.builtin.file', 'look.sh') }}"
    arguments: ["{{ pool_network_mode }}"]
  register: __look
  changed_when: false
  check_mode: false
"""

RETURN = r"""
rc:
  description: The script's exit status.
  returned: always
  type: int
  sample: 0
stdout:
  description: What it printed.
  returned: always
  type: str
  sample: "left network_ipip\n"
stdout_lines:
  description: The same in lines.
  returned: always
  type: list
  elements: str
  sample: [left network_ipip]
stderr:
  description: What it said of errors.
  returned: always
  type: str
  sample: ""
stderr_lines:
  description: The same in lines.
  returned: always
  type: list
  elements: str
  sample: []
"""
