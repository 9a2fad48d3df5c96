# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: guest_images
short_description: Remove guest images that a desktop does not need any more
description:
  - Keeps the image of O(keep), every image that a guest runs from at this moment, and the newest of the
    others, to fall back on; removes the rest. Anything in the folder that is not named by an image's hash is
    left alone.
  - An image that is kept because of its guest goes at the next run after that guest has ended.
options:
  directory:
    description: Folder on the desktop that holds one folder an image.
    type: path
    required: true
  keep:
    description: Hash of the image that the agent is told to run.
    type: str
    required: true
attributes:
  check_mode:
    description: Tells what would be removed.
    support: full
  diff_mode:
    description: Names the folders that go.
    support: full
  platform:
    description: Linux desktops; it looks for running guests in C(/proc).
    support: full
    platforms: linux
author: The Eyrie authors (@eyrie)
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Remove the images that nobody needs any more
  eyrie.pool.guest_images:
    directory: /var/lib/eyrie/images
    keep: "{{ eyrie_guest_image_id }}"
"""

RETURN = r"""
guest_images:
  description: What was removed, or would be in check mode.
  returned: success
  type: dict
  sample:
    removed: [2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae]
"""
