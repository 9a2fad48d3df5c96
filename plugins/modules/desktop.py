# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: desktop
short_description: Install, configure or remove the agent of a Windows desktop
description:
  - Looks at a desktop by plain C(cmd.exe) lines, installs or upgrades the agent by one silent C(msiexec),
    and hands the agent one declarative spec, which it brings the desktop to. An unchanged desktop costs one
    round trip.
  - Nothing is run by PowerShell, and no secret stands on a command line.
  - What goes wrong has a name, see RV(desktop.outcome), and a rerun goes on where it stopped.
options:
  state:
    description: V(absent) removes the agent and everything that it made, and proves that nothing is left.
    type: str
    choices: [present, absent]
    default: present
  msi:
    description: The package that the desktop shall have, as M(eyrie.pool.windows_files) returns it.
    type: dict
    default: {}
    suboptions:
      source:
        description:
          - An https URL, C(\\\\SERVER\\SHARE\\FILE.msi) or a path on the desktop. It is copied to a folder
            that only administrators write to, and checked there.
          - If empty nothing is installed; whatever version others brought (GPO, Intune) is accepted as it is.
        type: str
        default: ""
      sha256: {description: Its SHA-256., type: str, default: ""}
      size: {description: Its size in bytes., type: int, default: 0}
      version: {description: Its version; by default that of the control host., type: str}
      release: {description: The release that it installs., type: str, default: ""}
      product_code: {description: Its product code., type: str, default: ""}
      msiexec_fetches:
        description: Whether C(msiexec) may fetch a URL itself, unchecked, where there is no C(curl.exe).
        type: bool
        default: false
  agent:
    description:
      - The agent's configuration. C({data}) stands for the agent's folder, C({item:NAME}) for an item's.
      - Required for O(state=present).
    type: dict
  items:
    description: What the agent fetches and unpacks, known by hash.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: Name of the item., type: str, required: true}
      url: {description: Where it is fetched from by https., type: str, required: true}
      sha256: {description: SHA-256 of the file., type: str, required: true}
      size: {description: Its size in bytes., type: int, required: true}
      unpack: {description: What to do with it., type: str, choices: [zip, none], default: zip}
  ca:
    description: Certificates (PEM) that the servers of URLs must be signed by. If empty those of Windows.
    type: str
    default: ""
  token:
    description: The token that the desktop shall have. A new one is made where the present one is not good.
    type: dict
    suboptions:
      issuer: {description: Name of the pool., type: str, required: true}
      identity: {description: Whom it identifies., type: str, required: true}
      scopes: {description: All that it allows., type: list, elements: str, required: true}
      lifetime_seconds: {description: Its life., type: int, required: true}
      signing_key: {description: The pool's signing key., type: str, required: true}
      revoked: {description: As in C(htcondor_revoked_tokens)., type: list, elements: dict, default: []}
  hub:
    description:
      - The desktop's place in the Ethernet of the guests. It gets a key and a certificate of the pool's
        authority where the present ones are not good; without this option they go.
    type: dict
    suboptions:
      secrets_file:
        description: File on the control host with the pool's authority.
        type: path
        required: true
      days: {description: Days that a certificate is good for., type: int, default: 90}
  firewall:
    description: Whether rules fence the guest in, so that QEMU reaches the pool's port and nothing else.
    type: bool
    default: true
  reboot:
    description:
      - Whether a restart that is needed may be made. Even V(allowed) restarts only where the agent says that
        nobody is there and no session is in use.
    type: str
    choices: [never, allowed]
    default: never
  forbidden_shells:
    description: What to do where policy forbids remote shells. V(accept) warns and leaves the desktop alone.
    type: str
    choices: [fail, accept]
    default: fail
  reconnect_seconds:
    description: How long to wait for a desktop whose connection was lost, or that restarts.
    type: int
    default: 300
attributes:
  check_mode:
    description: Has the agent tell what it would change; where it is to be installed first, tells that.
    support: full
  diff_mode:
    description: Shows what changes; of a token the first digits of its SHA-256.
    support: full
  platform:
    description: Windows 8 to 11, 64-bit. C(cmd.exe) and Windows Installer are enough.
    support: full
    platforms: windows
author: The Eyrie authors (@eyrie)
version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Have the agent on the desktop
  eyrie.pool.desktop:
    msi:
      source: https://192.0.2.10:8443/agent.msi
      sha256: "{{ built.windows_files.msi.sha256 }}"
      size: "{{ built.windows_files.msi.size }}"
    agent: "{{ configuration }}"

- name: Take the agent off the desktop
  eyrie.pool.desktop:
    state: absent
"""

RETURN = r"""
desktop:
  description: The desktop as it is now.
  returned: always
  type: dict
  contains:
    outcome:
      description:
        - V(done), or the name of what went wrong, such as V(not a 64-bit desktop),
          V(unknown Windows version), V(too little memory), V(another installation is running),
          V(the package has another hash),
          V(a newer version is installed), V(remote shells forbidden), V(something is left).
      returned: always
      type: str
      sample: done
    version: {description: Version of the agent., returned: "O(state=present)", type: str, sample: 0.2.0}
    facts: {description: What the agent tells of the desktop., returned: "O(state=present)", type: dict}
    token_renewal: {description: Why it got a new token., returned: "O(state=present)", type: str}
    certificate_renewal:
      description: Why it got a new certificate for the hub.
      returned: O(state=present)
      type: str
    reboot_required: {description: Whether Windows waits for a restart., returned: success, type: bool}
    reboot_refused: {description: Why it was not restarted., returned: "O(state=present)", type: str}
    rebooted: {description: Whether it was restarted., returned: "O(state=present)", type: bool}
    steps: {description: What was done on the way., returned: always, type: list, elements: str}
  sample: {outcome: done, version: 0.2.0}
round_trips:
  description: How many commands the desktop was given.
  returned: success
  type: int
  sample: 1
"""
