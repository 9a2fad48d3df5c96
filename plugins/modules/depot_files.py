# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: depot_files
short_description: Publish files of the control host in a depot
description:
  - Copies files whose SHA-256 differs or that are not there, whole or not at all, and removes whatever else
    is in the folder. Unchanged files cost two round trips together.
options:
  directory:
    description: The folder that the depot serves. Nothing but these files stays in it.
    type: path
    required: true
  files:
    description: What to publish, as M(eyrie.pool.windows_files) returns it.
    type: list
    elements: dict
    required: true
    suboptions:
      path: {description: The file on the control host., type: path, required: true}
      name: {description: Its name in the depot., type: str, required: true}
      sha256: {description: Its SHA-256., type: str, required: true}
      size: {description: Not looked at., type: int}
      version: {description: Not looked at., type: str}
      release: {description: Not looked at., type: str}
      product_code: {description: Not looked at., type: str}
      image_id: {description: Not looked at., type: str}
attributes:
  check_mode:
    description: Tells what would be copied and removed.
    support: full
  diff_mode:
    description: Names the files with their SHA-256.
    support: full
  platform:
    description: POSIX hosts.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Publish what Windows desktops install
  eyrie.pool.depot_files:
    directory: /srv/eyrie/depot
    files: "{{ built.windows_files.values() | list }}"
"""

RETURN = r"""
depot_files:
  description: The files that are published.
  returned: success
  type: list
  elements: str
  sample: [/srv/eyrie/depot/2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae.msi]
"""
