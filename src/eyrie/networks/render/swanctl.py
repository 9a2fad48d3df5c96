# SPDX-License-Identifier: GPL-3.0-or-later
"""swanctl.conf: IKEv2, AEAD, certificates of the pool, transport mode around IP-in-IP.

Transport mode around the tunnel device costs the same bytes as tunnel mode (the device's outer header is the
tunnel's) and leaves routing to routes, so gateways and meshes need no policies of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from eyrie.networks.plan import HostPlan, Peer
from eyrie.networks.render import ike1

IKE = "aes256gcm16-prfsha256-x25519"
ESP = "aes256gcm16-x25519"
"""AES-256-GCM with a 16-byte check value; the second x25519 gives each rekeyed child fresh secrets."""
IKE_SECONDS, ESP_SECONDS = 14400, 3600
DEAD_AFTER_SECONDS = 30
CERTIFICATE = "eyrie.pem"
AUTHORITY = "eyrie-ca.pem"


def render(plan: HostPlan) -> str:
    """The connections of one host, and the one authority that vouches for its peers."""
    old = plan.legacy
    peers = "\n".join(
        line
        for peer in plan.peers
        for line in (ike1.connection(plan, peer) if peer in old else _connection(plan, peer))
    )
    return (
        "# Written by Eyrie: site.yml writes it again.\n"
        f"connections {{\n{peers}\n}}\n"
        f"authorities {{\n  eyrie {{\n    cacert = {AUTHORITY}\n  }}\n}}\n"
    )


def _connection(plan: HostPlan, peer: Peer) -> Iterator[str]:
    """A peer proves the very address that it is called at: a certificate of another host is no use there."""
    yield f"  {ike1.name(peer)} {{"
    yield "    version = 2"
    yield f"    local_addrs = {plan.official}"
    yield f"    remote_addrs = {peer.endpoint}"
    yield f"    proposals = {IKE}"
    yield f"    rekey_time = {IKE_SECONDS}s"
    yield f"    dpd_delay = {DEAD_AFTER_SECONDS}s"
    yield "    mobike = no"
    yield "    keyingtries = 0"
    yield "    unique = replace"
    yield "    local {"
    yield "      auth = pubkey"
    yield f"      certs = {CERTIFICATE}"
    yield f"      id = {plan.official}"
    yield "    }"
    yield "    remote {"
    yield "      auth = pubkey"
    yield f"      id = {peer.endpoint}"
    yield f"      cacerts = {AUTHORITY}"
    yield "    }"
    yield "    children {"
    yield "      ipip {"
    yield "        mode = transport"
    yield "        local_ts = dynamic[4]"
    yield "        remote_ts = dynamic[4]"
    yield f"        esp_proposals = {ESP}"
    yield f"        rekey_time = {ESP_SECONDS}s"
    # A trap is a policy in the kernel: packets wait for their SA, and never go out without.
    yield "        start_action = trap"
    yield "        close_action = trap"
    yield "        dpd_action = trap"
    yield "      }"
    yield "    }"
    yield "  }"
