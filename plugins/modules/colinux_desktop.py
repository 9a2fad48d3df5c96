# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: colinux_desktop
short_description: Install, run or remove a coLinux guest on an old Windows desktop
description:
  - Looks at a desktop by one line of cmd.exe, plans ordered steps, and does them one by one. Each is judged
    by its effect, never by what a program or a service says. An unchanged desktop costs one round trip.
  - Power may be cut between any two steps; run again, it goes on.
  - A guest is shut down from inside or by its service, waited for, and never killed.
options:
  state:
    description: V(absent) shuts the guest down and removes service, driver, event source and folder.
    type: str
    choices: [present, absent]
    default: present
  pool_name: {description: Name of the pool; required for O(state=present)., type: str, default: ""}
  hosts:
    description: All desktops of the pool, required for O(state=present). No two share a MAC address.
    type: list
    elements: str
    default: []
  numbers_file: {description: The pool's file of openMosix numbers., type: path, default: ""}
  adapter:
    description: Name of the adapter where C(colinux_adapter) of the desktop says none.
    type: str
    default: ""
  release: {description: Release of coLinux., type: str, default: 0.6.1}
  folder: {description: Folder on the desktop., type: str, default: C:\coLinux}
  service: {description: Name of the service., type: str, default: EyrieGuest}
  network:
    description: Kind of the guest's network.
    type: str
    choices: [bridge, ndis, tap, slirp]
    default: bridge
  archive:
    description: A zip on the control host with the release's files. If empty the depot's artefact is taken.
    type: path
    default: ""
  archive_sha256: {description: SHA-256 of O(archive)., type: str, default: ""}
  kernel_file: {description: A kernel instead of the archive's., type: path, default: ""}
  kernel_sha256: {description: SHA-256 of O(kernel_file)., type: str, default: ""}
  image: {description: Name of the image in O(folder)., type: str, default: root_fs}
  image_file: {description: The image on the control host, or empty if it is there., type: path, default: ""}
  image_sha256: {description: SHA-256 of O(image_file)., type: str, default: ""}
  start:
    description: When the service starts. V(agent) leaves start and stop to the desktop's agent alone.
    type: str
    choices: [auto, demand, agent]
    default: auto
  running: {description: Whether the guest shall run now., type: bool, default: true}
  busy_windows:
    description: The owner's hours, in the desktop's local time. In them O(running=true) leaves it as it is.
    type: list
    elements: dict
    default: []
    suboptions:
      days:
        description: Days on which the window begins.
        type: list
        elements: str
        choices: [mon, tue, wed, thu, fri, sat, sun]
        required: true
      from: {description: "Beginning, C(HH:MM).", type: str, required: true}
      to: {description: "End, C(HH:MM).", type: str, required: true}
  busy_lead_minutes: {description: How long before them no guest is started any more., type: int, default: 0}
  poweroff:
    description: Program and arguments on the control host that have the guest shut down from inside.
    type: list
    elements: str
    default: []
  start_seconds: {description: Seconds until its network's process must be there., type: int, default: 60}
  stop_seconds: {description: Seconds that it may take to shut down., type: int, default: 120}
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
- name: Have the guest there and running
  eyrie.pool.colinux_desktop:
    pool_name: office
    hosts: "{{ groups['colinux'] }}"

- name: Take it off the desktop
  eyrie.pool.colinux_desktop:
    state: absent
"""

RETURN = r"""
colinux_desktop:
  description: What was done, or would be.
  returned: always
  type: dict
  contains:
    steps: {description: The steps., returned: always, type: list, elements: str}
    running:
      description: Whether this run had the guest running, or would; false where that is left to others.
      returned: success
      type: bool
  sample: {steps: [], running: true}
round_trips:
  description: How many commands the desktop was given.
  returned: success
  type: int
  sample: 1
"""
