# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: pool_certificate
short_description: Give a host a certificate of the pool's own authority
description:
  - Reads the certificate on the host; one that is missing, damaged, of another authority, name, use or
    lifetime, or with less than a third of its life left is replaced. Key and certificate are made on the
    control host and lie in one PEM file, the key first.
  - Makes the authority on the control host at the first run.
options:
  secrets_file:
    description:
      - File on the control host that keeps the authority. C(ansible-vault) may encrypt it.
    type: path
    required: true
  pool:
    description:
      - Name of the pool, for an authority that is made now.
    type: str
    required: true
  names:
    description:
      - Names and addresses in the certificate; the first is its subject.
    type: list
    elements: str
    required: true
  use:
    description:
      - Whether the certificate is a server's or proves a desktop to the pool's hub.
    type: str
    choices: [server, desktop]
    default: server
  days:
    description:
      - Days that the certificate is good for.
    type: int
    default: 90
  dest:
    description:
      - File on the host.
    type: path
    required: true
  owner:
    description:
      - Owner of the file.
    type: str
    default: root
  group:
    description:
      - Group of the file.
    type: str
    default: root
  mode:
    description:
      - Permissions of the file.
    type: str
    default: "0640"
  revoked:
    description:
      - Serial numbers, in hex as C(openssl x509 -serial) tells them, of certificates that count no longer. A
        host that has one of them gets another.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Tells whether the certificate would be replaced, and why.
    support: full
  diff_mode:
    description: Names the file and the reason.
    support: full
  platform:
    description: POSIX hosts.
    support: full
    platforms: posix
author: The Eyrie authors (@eyrie)
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Give the hub its certificate
  eyrie.pool.pool_certificate:
    secrets_file: "{{ inventory_dir }}/secrets/authority.yml"
    pool: lab
    names: [192.0.2.10]
    dest: /etc/eyrie/hub/hub.pem
"""

RETURN = r"""
pool_certificate:
  description: The authority's certificate, and why the host's own was replaced.
  returned: success
  type: dict
  sample:
    authority: "-----BEGIN CERTIFICATE-----..."
    reason: certificate is missing
"""
