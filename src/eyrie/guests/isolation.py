# SPDX-License-Identifier: GPL-3.0-or-later
"""The desktop's own firewall for its guest: the guest's user reaches the pool port and nothing else."""

from __future__ import annotations

import ipaddress
import re

from eyrie.errors import EyrieError

TABLE = "eyrie_guest"
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")


def host_rules(user: str, master: str, port: int) -> str:
    """Return an nftables ruleset; loading it again replaces the old one in one step.

    QEMU's user networking opens ordinary sockets of `user`, so the rule sees what the guest really does: its
    10.0.2.2 is this desktop's loopback, its 10.0.2.3 this desktop's name server.
    """
    if not _USER.fullmatch(user) or user == "root":
        raise EyrieError("guest's user", seen=user, wanted="a user of its own, such as eyrie-guest")
    address = master_address(master, port)
    return f"""\
# The guest of this desktop (user {user}) reaches TCP {address}:{port}, and nothing else.
add table inet {TABLE}
delete table inet {TABLE}
table inet {TABLE} {{
    chain output {{
        type filter hook output priority filter - 10; policy accept;
        meta skuid "{user}" jump guest
    }}
    chain guest {{
        ip daddr {address} tcp dport {port} accept
        meta l4proto tcp reject with tcp reset
        reject with icmpx admin-prohibited
    }}
}}
"""


def master_address(master: str, port: int) -> ipaddress.IPv4Address:
    """Check the only place a guest may reach; raises EyrieError."""
    try:
        address = ipaddress.IPv4Address(master)
    except ValueError as error:
        raise EyrieError("master's address", seen=master, wanted="an IPv4 address") from error
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        raise EyrieError("pool port", seen=port, wanted="a number from 1 to 65535")
    return address
