# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: node_image
short_description: Bring kernel and root images of openMosix nodes onto the master that runs them
description:
  - Makes, on the control host, a copy of the root image for each node with the node's name, its host key,
    the keys that may log in, its node table and its side of the serial line, and copies to the master what
    differs there by SHA-256. The root image itself is never changed.
  - A node's host key is made once, on the control host.
options:
  nodes:
    description: The nodes, each with C(name) and C(address), maybe C(mac) and C(memory_mib).
    type: list
    elements: dict
    required: true
  network:
    description: IPv4 network of the nodes, as C(10.77.0.0/24).
    type: str
    required: true
  kernel:
    description: Name of an artefact in the depot, or absolute path of a file on the control host.
    type: str
    required: true
  kernel_sha256:
    description: SHA-256 that the kernel must have; required with a path.
    type: str
    default: ""
  root_image:
    description: Root image (Minix v1, ext2/3/4 or cpio; plain or gzip'd), named as the kernel is.
    type: str
    required: true
  root_image_sha256:
    description: SHA-256 that the root image must have; required with a path.
    type: str
    default: ""
  depot:
    description: The depot on the control host; without it, the one of C(eyrie depot).
    type: str
    default: ""
  authorized_keys:
    description: Public keys that may log in to the nodes as root; sshd of 2004 takes RSA alone.
    type: list
    elements: str
    default: []
  node_table:
    description: The pool's C(openmosix.map), set at boot. Without it a node starts with openMosix off.
    type: str
    default: ""
  secrets_directory:
    description: Folder on the control host that keeps the nodes' private host keys.
    type: path
    required: true
  directory:
    description: Folder on the master for C(kernel) and one C(NAME.root) a node; private to QEMU's account.
    type: path
    required: true
attributes:
  check_mode:
    description: Tells whether files would be copied. The images are made all the same, to have their hashes.
    support: full
  diff_mode:
    description: Names the files and the SHA-256 they would have; never their content.
    support: full
  platform:
    description: POSIX masters.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Bring the images of two nodes onto the master
  eyrie.pool.node_image:
    nodes:
      - {name: node-1, address: 10.77.0.11}
      - {name: node-2, address: 10.77.0.12}
    network: 10.77.0.0/24
    kernel: chaos_kernel
    root_image: chaos_ramdisk
    secrets_directory: "{{ inventory_dir }}/secrets/openmosix_vm"
    directory: /var/lib/eyrie/openmosix
"""

RETURN = r"""
node_image:
  description: What others must know of the nodes.
  returned: success
  type: dict
  sample:
    known_hosts: ["10.77.0.11 ssh-rsa AAAAB3NzaC1yc2E"]
"""
