# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: node_kernel
short_description: Bring a kernel onto a bare node, boot it once, keep it only if the node is well
description:
  - Unpacks a kernel (image, C(System.map), configuration, modules, perhaps an initrd) onto a node, each file
    put in place at once, and adds an entry to its bootloader. GRUB 2, GRUB legacy and LILO are known. The
    entry is modelled on the one that the running kernel came from, and so is the one that the node falls
    back to.
  - With O(state=booted) the node is told to take the new entry at its next boot, and only then. It is booted
    again; the new kernel becomes the default only after the node answers, runs exactly that build, has
    C(/proc/hpc) and passes O(health_command). A kernel that panics reboots after O(panic_seconds) into the
    kernel that ran before, which is still the default, and the task fails and names both.
  - A kernel that hangs without a panic is noticed by O(boot_timeout_seconds); the node then has to be
    switched off and on, by hand or by a watchdog, and boots the kernel that ran before. On a kernel of 2.4,
    C(nmi_watchdog=1) in O(append) turns most hangs into panics.
  - A node that runs the kernel already costs one round trip and is not touched. Drain it before it is booted.
options:
  release:
    description: Release of the pool's kernel, as C(uname -r) prints it. No other kernel is installed.
    type: str
    required: true
  archive:
    description:
      - Archive on the control host with C(boot/vmlinuz-RELEASE), C(boot/System.map-RELEASE),
        C(boot/config-RELEASE), perhaps C(boot/initrd.img-RELEASE), and C(lib/modules/RELEASE), and with
        nothing else. May be compressed. Its image has to say that it is O(release); else nothing is touched.
      - Without it, a node that runs another kernel makes the task fail.
    type: path
  sha256:
    description: SHA-256 that O(archive) has to have; empty for any.
    type: str
    default: ""
  state:
    description:
      - With V(installed) the files and the entry are on the node; what it boots stays as it is.
      - With V(booted) it runs the kernel, and boots it by default.
      - With V(absent) entry and files are removed and the node boots what it booted before the pool came. If
        it runs the pool's kernel, it is booted again first.
    type: str
    choices: [installed, booted, absent]
    default: installed
  bootloader:
    description: The bootloader. Needed only where a node has the files of more than one.
    type: str
    choices: [auto, grub2, grub_legacy, lilo]
    default: auto
  append:
    description: Words for the kernel's command line, in the place of those of the same name.
    type: list
    elements: str
    default: []
  panic_seconds:
    description: How long the kernel waits after a panic before it boots again. Never zero, which means for
      ever.
    type: int
    default: 10
  requires_hpc:
    description: Whether the kernel has to be one of openMosix, with C(/proc/hpc).
    type: bool
    default: true
  health_command:
    description: Shell command that has to succeed on the node with the new kernel; empty for none.
    type: str
    default: ""
  health_timeout_seconds:
    description: How long O(health_command) is tried.
    type: int
    default: 60
  boot_timeout_seconds:
    description: How long a boot may take, from the order to an answer.
    type: int
    default: 600
  console_file:
    description: File on the control host that the node's serial console is written to, for the reason of a
      panic.
    type: path
attributes:
  check_mode:
    description: Reads the node and tells what would be done. Boots nothing.
    support: full
  diff_mode:
    description: Shows the bootloader's files before and after.
    support: full
  platform:
    description: Nodes with a POSIX shell, tar, md5sum and one of the three bootloaders. No Python is needed
      there.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Install the pool's kernel beside the one that runs
  eyrie.pool.node_kernel:
    release: 2.4.26-om
    archive: /srv/depot/kernel-2.4.26-om.tar

- name: Boot it, and keep it if the node is well
  eyrie.pool.node_kernel:
    release: 2.4.26-om
    archive: /srv/depot/kernel-2.4.26-om.tar
    append: [nmi_watchdog=1]
    state: booted
"""

RETURN = r"""
node_kernel:
  description: The node's kernel as it is now.
  returned: success, and when the node fell back
  type: dict
  contains:
    release:
      description: The release wanted.
      type: str
    running:
      description: The release that runs.
      type: str
    build:
      description: Who built the running kernel, and when.
      type: str
    booted:
      description: Whether the pool's kernel runs.
      type: bool
    is_openmosix:
      description: Whether the running kernel has C(/proc/hpc), so that the node has to be drained before a
        boot.
      type: bool
    round_trips:
      description: How often the node was asked.
      type: int
  sample:
    release: 2.4.26-om
    running: 2.4.26-om
    build: "(root@build) #1 SMP Sun Aug 15 21:24:00 EST 2004"
    booted: true
    is_openmosix: true
    round_trips: 1
"""
