# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: kernel_build
short_description: Build a kernel from source on a build host
description:
  - Unpacks a kernel's source on the build host, applies patches in their order, names the kernel, takes the
    configuration over, compiles image and modules, and fetches one archive of them to the control host, in
    the form that M(eyrie.pool.node_kernel) takes.
  - A kernel before 2.6 is made by C(make oldconfig dep bzImage modules), a later one without C(dep).
  - The archive's name carries a hash over release, source, patches, configuration and toolchain. If the
    control host has it, nothing is done and the build host is not asked.
  - Of each release the three archives used last stay. While one build goes on, others into its folder wait.
  - A patch of which a hunk is rejected makes the task fail, with one exception. Where the hunk only sets
    C(EXTRAVERSION) in the Makefile, as two patches that each name the kernel do, it is dropped, for
    O(release) decides that.
options:
  release:
    description: Release the kernel will have. What follows its three numbers becomes C(EXTRAVERSION).
    type: str
    required: true
  source:
    description: Archive of the source on the control host, with one folder in it.
    type: path
    required: true
  patches:
    description:
      - Patches on the control host, in the order to apply them with C(-p1). May be compressed. Of a
        C(.tar.gz), coLinux's source, the file C(patch/linux) is taken.
    type: list
    elements: path
    default: []
  config:
    description: Configuration on the control host. It is kept beside the kernel as C(/boot/config-RELEASE).
    type: path
    required: true
  config_target:
    description:
      - How the configuration is completed. V(oldconfig) and V(olddefconfig) take the default for what it does
        not name, V(allnoconfig) takes it as the few settings that are not V(n) (kernels of 2.6 and later).
    type: str
    choices: [oldconfig, olddefconfig, allnoconfig]
    default: oldconfig
  target:
    description:
      - What boots the kernel. V(bare) makes an image for a machine's bootloader. V(colinux) makes C(vmlinux),
        uncompressed and with its symbols, for guests of Windows desktops; it needs coLinux's patch as the
        last, a O(release) that ends with coLinux's, and for a kernel of 2.4 a O(toolchain) with gcc 3.3,
        which the kernel itself is asked for.
      - With V(colinux) the kernel and an archive of its modules are also put beside the archive, into
        C(colinux-RELEASE) in O(dest).
    type: str
    choices: [bare, colinux]
    default: bare
  toolchain:
    description:
      - Archive on the control host of a root file system with compiler, make, patch and the rest, such as one
        with gcc 3.3 for a kernel of 2.4. The build runs inside it, as root. Without it the build host's own
        tools are used.
    type: path
  directory:
    description: Folder on the build host for toolchains and trees. A tree is removed after its build
      succeeded, a toolchain when nobody has built with it for thirty days.
    type: path
    default: /var/lib/eyrie/kernels
  dest:
    description: Folder on the control host for the archive.
    type: path
    required: true
  jobs:
    description: How many compilers run at once.
    type: int
    default: 1
attributes:
  check_mode:
    description: Tells whether a kernel would be built.
    support: full
  diff_mode:
    description: A kernel has no differences to show.
    support: none
  platform:
    description: A build host with a POSIX shell, tar and GNU coreutils, on which the user is root.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Build the openMosix kernel
  eyrie.pool.kernel_build:
    release: 2.4.26-om
    source: /srv/depot/linux-2.4.26.tar.bz2
    patches: [/srv/depot/openMosix-2.4.26-1.bz2]
    config: /srv/depot/config-2.4.26-om
    toolchain: /srv/depot/toolchain-gcc-3.3.tar
    dest: /srv/depot/kernels
  delegate_to: build-1
  run_once: true
"""

RETURN = r"""
kernel_build:
  description: The kernel that is there now, or would be built in check mode.
  returned: success
  type: dict
  contains:
    release:
      description: Its release.
      type: str
    identity:
      description: Hash of all that went into it.
      type: str
    archive:
      description: The archive on the control host.
      type: str
    kernel:
      description: The uncompressed kernel on the control host. Only with O(target=colinux).
      type: str
    modules:
      description: The archive of its modules on the control host. Only with O(target=colinux).
      type: str
    sha256:
      description: SHA-256 of the archive; empty in check mode if it is not there yet.
      type: str
    build:
      description: Who built it, and when, as the image says itself.
      type: str
    settled_rejects:
      description: Patches of which only the hunk with EXTRAVERSION was rejected. Only after a build.
      type: list
      elements: str
    lost_settings:
      description: Settings of the configuration that the kernel's own rules did not keep. Only after a build.
      type: list
      elements: str
    pruned:
      description: Archives of older builds of this release that were removed. Only after a build.
      type: list
      elements: str
  sample:
    release: 2.4.26-om
    identity: 81d0f2a3c54b6e97
    archive: /srv/depot/kernels/kernel-2.4.26-om-81d0f2a3c54b6e97.tar
    sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
    build: "(pool@eyrie) #1 SMP Sat Nov 21 12:00:00 UTC 2026"
    settled_rejects: []
    lost_settings: []
    pruned: []
"""
