# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: guest_image
short_description: Bring the pool's guest image onto a desktop
description:
  - Builds the guest image on the control host, once for all desktops and only if the cache does not have it,
    then copies to the desktop those of its files whose SHA-256 differs there. An unchanged desktop costs one
    round trip.
  - Older images stay: M(eyrie.pool.guest_images) removes them once the agent knows the new one.
options:
  packages:
    description: Debian packages to put into the image beside HTCondor.
    type: list
    elements: str
    default: []
  directory:
    description: Folder on the desktop in which the image gets a folder named by its hash.
    type: path
    required: true
attributes:
  check_mode:
    description: Tells whether files would be copied. The image is built all the same, to have its hash.
    support: full
  diff_mode:
    description: Names the files and the SHA-256 they would have.
    support: full
  platform:
    description: POSIX desktops; the control host needs root to build.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Bring an image with POV-Ray onto the desktop
  eyrie.pool.guest_image:
    packages: [povray]
    directory: /var/lib/eyrie/images
"""

RETURN = r"""
guest_image:
  description: The image as it is on the desktop, or would be in check mode.
  returned: success
  type: dict
  sample:
    image_id: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
    directory: /var/lib/eyrie/images/2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
"""
