# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: openmosix_programs
short_description: Bring the openMosix tools onto a node
description:
  - Streams an archive through the shell onto a node whose tools are not of O(version). The archive's
    SHA-256 is checked before the node is touched.
  - The version is noted in C(/etc/openmosix.tools) once C(setpe), C(mosctl), C(mosrun) and C(migrate) are
    there.
options:
  src:
    description: Tar archive on the control host, plain or gzip, with paths from the root folder; or of
      the source.
    type: path
    required: true
  sha256:
    description: Its SHA-256.
    type: str
    required: true
  version:
    description: The version that it brings.
    type: str
    required: true
  build_command:
    description: Builds and installs in the source's folder, on the node. Without it O(src) holds
      programs.
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
- name: Install the tools
  eyrie.pool.openmosix_programs:
    src: openmosix-tools-0.3.6-2.tar.gz
    sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
    version: 0.3.6-2
"""

RETURN = r"""
openmosix_programs:
  description: The version that the node has, or would have.
  returned: success
  type: dict
  sample: {version: 0.3.6-2}
"""
