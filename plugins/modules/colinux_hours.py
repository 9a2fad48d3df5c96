# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: colinux_hours
short_description: Run the coLinux guest of an old Windows desktop outside its owner's hours
description:
  - Where the agent cannot run, Windows' own scheduler starts and stops the guest's service. C(schtasks) keeps
    the times on Windows XP and later, C(at) on Windows 2000.
  - Reads all in one round trip, and changes what differs in another one, which lists the tasks again; they
    are judged by that. An unchanged desktop costs one.
  - Nobody sees that an owner comes back early. The guest stops at its time alone.
  - Stopping the service is Ctrl-Alt-Del for the guest, which empties the node as it goes down. To drain it
    before that through the master, let its cron run C(playbooks/drain.yml) with C(--limit) at the times of
    RV(colinux_hours.drain_cron).
  - Nobody ran it on Microsoft's Windows yet.
options:
  busy_windows:
    description:
      - Times of the week that are the owner's, in the desktop's local time; the guest runs outside of them.
        A window whose C(to) is not after its C(from) goes over midnight. The form of C(agent_busy_windows).
      - Needed with O(state=present).
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
      from:
        description: Beginning, C(HH:MM).
        type: str
        required: true
      to:
        description: End, C(HH:MM).
        type: str
        required: true
  service:
    description: Name of the guest's service, one word. It should start on demand.
    type: str
    default: EyrieGuest
  stop_minutes:
    description: How long before the owner's hours the guest is told to stop, 0 to 240.
    type: int
    default: 5
  drain_minutes:
    description: How long before that the master begins to drain it, 0 to 240.
    type: int
    default: 5
  state:
    description: Whether there are such tasks. V(absent) removes all that this module made, and no other.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Looks in check mode as well, and changes nothing.
    support: full
  diff_mode:
    description: Shows the commands.
    support: full
  platform:
    description: Windows 2000 to 7, through cmd.exe.
    support: full
    platforms: windows
author: The Eyrie authors (@eyrie)
version_added: 0.4.0
"""

EXAMPLES = r"""
- name: Run the guest from 19:00 to 07:00, and at the weekend
  eyrie.pool.colinux_hours:
    busy_windows:
      - {days: [mon, tue, wed, thu, fri], from: "07:00", to: "19:00"}

- name: Leave the desktop to its owner
  eyrie.pool.colinux_hours:
    state: absent
"""

RETURN = r"""
colinux_hours:
  description: The plan.
  returned: success
  type: dict
  contains:
    tasks:
      description: What the scheduler does, and when.
      type: list
      elements: str
    drain_cron:
      description: When to drain the guest, as the first fields of cron's lines; the desktop's local time.
      type: list
      elements: str
  sample:
    tasks: [start EyrieGuest mon 19:00, stop EyrieGuest tue 06:55]
    drain_cron: ["50 6 * * 2"]
round_trips:
  description: How often the desktop was asked.
  returned: success
  type: int
  sample: 1
"""
