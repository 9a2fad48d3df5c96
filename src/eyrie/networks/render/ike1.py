# SPDX-License-Identifier: GPL-3.0-or-later
"""IKEv1 between a host of today and an openMosix node, or two nodes: what FreeS/WAN 2.05 has, and no more.

3DES, SHA1 and MODP1536 are its best. ESP is in tunnel mode, because that kernel has no IP-in-IP; on the wire
it is the same as transport mode around IP-in-IP.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from hashlib import sha256

from eyrie.networks.plan import HostPlan, Peer

IKE = ESP = "3des-sha1-modp1536"
IKE_SECONDS, ESP_SECONDS = 14400, 3600
KEYS = "/etc/swanctl/conf.d/eyrie-ike1.conf"


def name(peer: Peer) -> str:
    """What a peer's connection is called."""
    return f"eyrie-{peer.name.replace('.', '_')}"


def pair_key(secret: str, one: str, two: str) -> str:
    """The key of two hosts by their official addresses: nobody but these two can make it from theirs."""
    pair = " ".join(sorted((one, two)))
    return hmac.new(secret.encode(), pair.encode(), sha256).hexdigest()


def keys(plan: HostPlan, secret: str) -> str:
    """The host's keys as its own IKE reads them: strongSwan on a host of today, pluto on a node. Secret."""
    pairs = [(peer, pair_key(secret, plan.official, peer.endpoint)) for peer in plan.legacy]
    if plan.kind == "openmosix":
        return "".join(f'{plan.official} {peer.endpoint} : PSK "{key}"\n' for peer, key in pairs)
    blocks = "".join(
        f"  ike-{name(peer)} {{\n    id-here = {plan.official}\n    id-there = {peer.endpoint}\n"
        f'    secret = "{key}"\n  }}\n'
        for peer, key in pairs
    )
    return f"# Written by Eyrie: site.yml writes it again.\nsecrets {{\n{blocks}}}\n"


def connection(plan: HostPlan, peer: Peer) -> Iterator[str]:
    """One connection of swanctl.conf; nobody else's takes IKEv1 or these ciphers."""
    yield f"  {name(peer)} {{"
    yield "    version = 1"
    yield f"    local_addrs = {plan.official}"
    yield f"    remote_addrs = {peer.endpoint}"
    yield f"    proposals = {IKE}"
    yield f"    rekey_time = {IKE_SECONDS}s"
    yield "    keyingtries = 0"
    yield "    unique = replace"
    for side, address in (("local", plan.official), ("remote", peer.endpoint)):
        yield f"    {side} {{"
        yield "      auth = psk"
        yield f"      id = {address}"
        yield "    }"
    yield "    children {"
    yield "      tunnel {"
    yield "        mode = tunnel"
    yield f"        local_ts = {plan.behind}"
    yield f"        remote_ts = {','.join(peer.routes)}"
    yield f"        esp_proposals = {ESP}"
    yield f"        rekey_time = {ESP_SECONDS}s"
    # FreeS/WAN asks nobody whether he is alive: of a restart here only a new connection tells it.
    yield "        start_action = trap|start"
    yield "        close_action = trap"
    yield "      }"
    yield "    }"
    yield "  }"
