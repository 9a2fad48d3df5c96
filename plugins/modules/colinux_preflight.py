# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: colinux_preflight
short_description: Look whether a 32-bit Windows desktop can run a coLinux guest
description:
  - Asks with one line of cmd.exe, in one round trip, and changes nothing. Needs Windows XP Professional or
    later and nothing installed there; neither the agent nor PowerShell.
  - Every reason against a guest is told at once, with what would lift it and what that costs. The table of
    them is in C(docs/colinux.md).
  - Nobody ran it on Microsoft's Windows yet.
options:
  release:
    description: Release of coLinux, V(0.6.1) to V(0.6.4) or V(0.7.1) to V(0.7.9). openMosix needs V(0.6.1).
    type: str
    default: 0.6.1
  folder:
    description: Folder for coLinux on the desktop. A driver or guest of another folder is refused.
    type: str
    default: C:\coLinux
  memory_mib:
    description: Memory that the guest takes from the desktop while it runs, in MiB.
    type: int
    default: 128
  image_mib:
    description: Room for the images on the folder's drive, in MiB; V(0) if they are there.
    type: int
    default: 0
  network:
    description: Kind of the guest's network. V(bridge) needs WinPcap, V(ndis) release 0.7.4, V(tap) a driver
      without a signature; V(slirp) cannot serve openMosix.
    type: str
    choices: [bridge, ndis, tap, slirp]
    default: bridge
  adapter:
    description: What names the adapter. For release 0.6.1 a part of its description, for later ones the
      connection's name. Empty, the only one with a cable is taken.
    type: str
    default: ""
  openmosix:
    description: Whether the guest shall be an openMosix node.
    type: bool
    default: true
  switch_pae_off:
    description:
      - Allows that PAE, and DEP with it, be switched off for release 0.6.1, which bears neither.
      - It weakens the desktop, where programs lose DEP's protection. Nothing is switched by this action.
        RV(colinux_preflight.weakening) says what has to be, and how it is put back.
    type: bool
    default: false
  accept_untested:
    description: Allows what nobody has reported to work (Windows Server, 0.6 on Vista and 7, a TAP catalogue
      of one's own). For a pilot PC, which may crash.
    type: bool
    default: false
  lifted:
    description: Traps that what follows lifts, such as V(winpcap-missing) where C(winpcap) installs it.
    type: list
    elements: str
    choices:
      [
        adapter-ambiguous, adapter-localised, adapter-long, adapter-missing, adapter-none, adapter-sign,
        adapter-unplugged, adapter-wireless, adapter-wireless-only, architecture, dep, disk-fat,
        disk-full, disk-missing, driver-elsewhere, driver-stopped, folder, guest-running, guests-too-many,
        hypervisor, memory-limit, memory-share, network-kind, network-slirp, no-wmi, not-administrator,
        npcap, pae, pae-unread, ram-too-much, ram-unread, reboot-pending, signing-block, signing-prompt,
        signing-vista, tap-localised, tap-name, tap-openvpn, tap-two, tap-vista, windows-2000,
        windows-new, windows-old, windows-server, windows-unread, windows-vista, winpcap-missing,
        winpcap-stopped,
      ]
    default: []
  refusals:
    description: Whether a desktop that is refused fails the task.
    type: str
    choices: [fail, report]
    default: fail
attributes:
  check_mode:
    description: Looks in check mode as well.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
  platform:
    description: Windows XP Professional to 7, of 32 bits, through cmd.exe.
    support: full
    platforms: windows
author: The Eyrie authors (@eyrie)
version_added: 0.4.0
"""

EXAMPLES = r"""
- name: Look at every old desktop
  eyrie.pool.colinux_preflight:
    memory_mib: 256
    image_mib: 1024
    refusals: report
  register: __preflight
"""

RETURN = r"""
colinux_preflight:
  description: What was found.
  returned: when the desktop answered
  type: dict
  sample:
    fit: false
    refusals:
      - trap: winpcap-missing
        reason: "WinPcap on this desktop: found 'no service npf', wanted WinPcap, which the bridge ..."
        lift: install WinPcap by hand (its own installer always asks), or choose ndis with 0.7.4
        cost: a visit to each desktop; or openMosix, for 0.7 has no 2.4 kernel
    notes: []
    adapter: Intel(R) PRO/100 VE Network Connection
    weakening: {}
    desktop: {windows: [5, 1], architecture: X86}
  contains:
    fit:
      description: Whether a guest can run there, once RV(colinux_preflight.weakening) was made.
      type: bool
    refusals:
      description: Every reason against it, each with C(trap), C(reason), C(lift) and C(cost).
      type: list
      elements: dict
    notes:
      description: What is no reason against it and yet good to know.
      type: list
      elements: str
    adapter:
      description: What names the adapter in the guest's configuration.
      type: str
    weakening:
      description: What must be switched off before a guest may start, with C(where), C(change), C(undo) and
        C(cost); empty where nothing must, or O(switch_pae_off) does not allow it.
      type: dict
    desktop:
      description: What the desktop said.
      type: dict
round_trips:
  description: How often the desktop was asked.
  returned: when the desktop answered
  type: int
  sample: 1
"""
