# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: colinux_winpcap
short_description: Have WinPcap's driver run on an old Windows desktop
description:
  - Uses the WinPcap that is there. Where there is none it installs a build that can be silent, or names what
    has to be done by hand. An unchanged desktop costs one round trip.
options:
  state:
    description: V(absent) removes the WinPcap that this module installed.
    type: str
    choices: [present, absent]
    default: present
  folder:
    description: Folder on the desktop for installer and note.
    type: str
    default: C:\coLinux-winpcap
  installer: {description: The installer on the control host., type: path, default: ""}
  installer_sha256: {description: SHA-256 of O(installer)., type: str, default: ""}
  silent: {description: Whether this build takes C(/S)., type: bool, default: false}
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
- name: Use what is there
  eyrie.pool.colinux_winpcap:
"""

RETURN = r"""
colinux_winpcap:
  description: What was done, or would be.
  returned: always
  type: dict
  contains:
    steps: {description: The steps., returned: always, type: list, elements: str}
  sample: {steps: []}
round_trips:
  description: How many commands the desktop was given.
  returned: success
  type: int
  sample: 1
"""
