# SPDX-License-Identifier: GPL-3.0-or-later
"""POSIX sh for openMosix nodes: IP-in-IP of a 2.4 kernel, where it has it, and nothing half done where not.

Nothing is written down there: the node's own boot calls the script again.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from eyrie.networks.plan import HostPlan
from eyrie.networks.render.networkd import TTL

DETECT = """\
# What decides whether this node can have a tunnel; key=value, asked in one go.
echo "kernel=$(uname -r)"
if [ -d /proc/sys/net/ipv4/conf/tunl0 ] || ip link show tunl0 >/dev/null 2>&1; then
    echo ipip=loaded
elif find /lib/modules/"$(uname -r)" -name 'ipip.*o' 2>/dev/null | grep . >/dev/null; then
    echo ipip=module
else
    echo ipip=none
fi
command -v ip >/dev/null 2>&1 && echo tool=ip || echo tool=none
"""


def up(plan: HostPlan) -> str:
    """Bring device, address and routes up; run again it changes nothing."""
    return "\n".join(("set -e", *_up(plan))) + "\n"


def down(plan: HostPlan) -> str:
    """Take the device away; its address and routes go with it."""
    if plan.mode == "shadow":
        address = shlex.quote(f"{plan.private}/{plan.prefix_length}")
        find = f"device=$(ip addr | sed -n 's/^ *inet {plan.private}\\/.* \\([^ ]*\\)$/\\1/p')"
        return f'set -e\n{find}\n[ -z "$device" ] || ip addr del {address} dev "$device"\n'
    return f"if ip link show {plan.device} >/dev/null 2>&1; then ip tunnel del {plan.device}; fi\n"


def _up(plan: HostPlan) -> Iterator[str]:
    if plan.mode == "shadow":
        yield f"device=$(ip addr | sed -n 's/^ *inet {plan.official}\\/.* \\([^ ]*\\)$/\\1/p')"
        yield f'[ -n "$device" ] || {{ echo "no interface has {plan.official}" >&2; exit 1; }}'
        yield (
            f"ip addr | grep -q ' {plan.private}/' ||"
            f' ip addr add {plan.private}/{plan.prefix_length} dev "$device"'
        )
        return
    yield "modprobe ipip 2>/dev/null || true"
    yield (
        f"ip link show {plan.device} >/dev/null 2>&1 || ip tunnel add {plan.device} mode ipip"
        f" local {plan.official} ttl {TTL} pmtudisc"
    )
    yield f"ip link set {plan.device} mtu {plan.mtu} up"
    yield f"ip addr | grep -q ' {plan.private}/32 ' || ip addr add {plan.private}/32 dev {plan.device}"
    # The iproute of that time knows no `replace` for every kernel: an old way is taken away first.
    for peer in plan.peers:
        for route in peer.routes:
            yield f"ip route del {route} 2>/dev/null || true"
            yield (f"ip route add {route} via {peer.endpoint} dev {plan.device} onlink src {plan.private}")


def can(detected: dict[str, str]) -> str:
    """Why the node cannot have a tunnel, by what DETECT said; nothing where it can."""
    kernel = detected.get("kernel", "unknown")
    if detected.get("tool") != "ip":
        return "it has no `ip` program (iproute)"
    if detected.get("ipip") not in ("loaded", "module"):
        return f"its kernel {kernel} has no IP-in-IP (CONFIG_NET_IPIP)"
    return ""
