# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: user_tokens
short_description: Give the accounts of a master the tokens they submit with
description:
  - Each account gets an expiring token of its own in C(~/.condor/tokens.d/eyrie), where HTCondor's commands
    look for it. Made on the master, as root, and handed over as the account itself; a token never leaves the
    master.
  - Leaves a good token alone, and replaces one that is missing, damaged, for another pool or authority,
    signed with another key, or near its end. An unchanged master costs one round trip.
options:
  pool:
    description: Name of the pool.
    type: str
    required: true
  signing_key:
    description: The pool's signing key, to tell a token of another key.
    type: str
    required: true
  submitters:
    description:
      - Accounts that may submit. V(*) is every account of a person, as far as C(getent passwd) lists them.
    type: list
    elements: str
    required: true
  admins:
    description: Accounts that may look after the pool as well.
    type: list
    elements: str
    default: []
  lifetime_days:
    description: Days that a token is good for.
    type: int
    required: true
attributes:
  check_mode:
    description: Tells who would get a token.
    support: full
  diff_mode:
    description: Names the accounts, and why each needs a token.
    support: full
  platform:
    description: Masters with HTCondor and C(runuser) of util-linux.
    support: full
    platforms: linux
author: The Eyrie authors (@eyrie)
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Let alice submit
  eyrie.pool.user_tokens:
    pool: lab
    signing_key: "{{ htcondor_signing_key }}"
    submitters: [alice]
    lifetime_days: 30
  become: true
"""

RETURN = r"""
user_tokens:
  description: The accounts looked at, and those that got a token, or would in check mode, with the reason.
  returned: success
  type: dict
  sample:
    accounts: [alice, bob]
    renewed: {bob: token is missing}
"""
