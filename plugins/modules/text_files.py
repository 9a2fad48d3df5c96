# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: text_files
short_description: Make a host hold small text files, all in one round trip
description:
  - Compares content, mode, owner and group of all the files at once, writes those that are not right, each
    whole or not at all, and reads them back. A host where all is well costs one round trip.
  - For what C(ansible.builtin.copy) would need two or three modules a file for. Nothing but a POSIX shell and
    coreutils is needed there.
  - With C(--diff) the texts are shown. Give C(no_log=true) where they are secret.
options:
  files:
    description: The files.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where it is on the host. A folder that is missing is made, with mode 0755.
        type: path
        required: true
      text:
        description: Its content, UTF-8.
        type: str
        required: true
      mode:
        description: Its mode, in octal digits.
        type: str
        default: "0644"
      owner:
        description: Its owner's name.
        type: str
        default: root
      group:
        description: Its group's name.
        type: str
        default: root
      check:
        description:
          - A shell command that must accept the new file before any of the files is replaced; C(%s) stands
            for it.
        type: str
        default: ""
      kind:
        description: The caller's own word for files that the same program reads.
        type: str
        default: ""
  absent:
    description: Paths of files that are removed.
    type: list
    elements: path
    default: []
attributes:
  check_mode:
    description: Tells what would be written and removed.
    support: full
  diff_mode:
    description: Shows the texts before and after.
    support: full
  platform:
    description: POSIX hosts.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.3.0
"""

EXAMPLES = r"""
- name: Write the rules of the pool's network
  eyrie.pool.text_files:
    files:
      - path: /etc/eyrie/network/network.nft
        text: "{{ rules }}"
        check: /usr/sbin/nft -c -f %s
        kind: rules
    absent: [/etc/eyrie/network/shadow]
  become: true
"""

RETURN = r"""
text_files:
  description: What was, or in check mode would be, written or removed.
  returned: success
  type: dict
  contains:
    changed:
      description: Paths of these files.
      type: list
      elements: str
    kinds:
      description: The kinds of these files, each once; C(absent) where any was removed.
      type: list
      elements: str
  sample:
    changed: [/etc/eyrie/network/network.nft]
    kinds: [rules]
"""
