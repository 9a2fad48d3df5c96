# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool's own network: private addresses given for ever, and how hosts reach one another by them.

`plan` decides, `render` writes what hosts are configured with, `check` judges what they say; none does I/O.
"""

from eyrie.networks.change import HostChange, changes
from eyrie.networks.model import MODES, Host, Mode, Reserved, Site, Wanted
from eyrie.networks.plan import HostPlan, NetworkPlan, Opening, Peer, plan
from eyrie.networks.refuse import Refused
from eyrie.networks.state import State

__all__ = [
    "MODES",
    "Host",
    "HostChange",
    "HostPlan",
    "Mode",
    "NetworkPlan",
    "Opening",
    "Peer",
    "Refused",
    "Reserved",
    "Site",
    "State",
    "Wanted",
    "changes",
    "plan",
]
