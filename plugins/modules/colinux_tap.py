# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: colinux_tap
short_description: Have one TAP adapter of a fixed name on an old Windows desktop
description:
  - Looks for an adapter of the release's driver in the registry, adds one by devcon or tapcontrol only where
    there is none, and gives its connection a fixed name. An unchanged desktop costs one round trip.
options:
  state:
    description: V(absent) removes the adapter that this module installed, if it is the only one.
    type: str
    choices: [present, absent]
    default: present
  name: {description: Name of the connection., type: str, default: TAP-coLinux}
  release: {description: Release of coLinux whose driver it is., type: str, default: 0.6.1}
  folder: {description: Folder on the desktop for the driver's files., type: str, default: C:\coLinux-tap}
  archive:
    description: A zip on the control host with the release's files. If empty the depot's artefact is taken.
    type: path
    default: ""
  archive_sha256: {description: SHA-256 of O(archive)., type: str, default: ""}
  program:
    description: The program C(eyrie-files.exe) on the control host. If empty it is built there.
    type: path
    default: ""
  compiler:
    description: The compiler that builds it.
    type: str
    default: i686-w64-mingw32-gcc
attributes:
  check_mode:
    description: Looks in check mode as well, and tells the steps that it would do.
    support: full
  diff_mode:
    description: Shows the steps.
    support: full
  platform:
    description: Windows XP to 7, of 32 bits, through cmd.exe. Nobody ran it on Microsoft's Windows yet.
    support: full
    platforms: windows
author: The Eyrie authors (@eyrie)
version_added: 0.4.0
"""

EXAMPLES = r"""
- name: Have the adapter
  eyrie.pool.colinux_tap:
    release: 0.7.9
"""

RETURN = r"""
colinux_tap:
  description: What was done, or would be.
  returned: always
  type: dict
  contains:
    steps: {description: The steps., returned: always, type: list, elements: str}
    reboot_required: {description: Whether Windows wants a restart., returned: success, type: bool}
  sample: {steps: []}
round_trips:
  description: How many commands the desktop was given.
  returned: success
  type: int
  sample: 1
"""
