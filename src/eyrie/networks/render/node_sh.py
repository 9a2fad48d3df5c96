# SPDX-License-Identifier: GPL-3.0-or-later
"""POSIX sh for openMosix nodes: a second address, IP-in-IP where a 2.4 kernel has it, or FreeS/WAN's IPsec.

Their userland is BusyBox 1.00's: no cmp, awk, mktemp or readlink, and `ip address` knows `delete`, not `del`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from eyrie.networks.plan import HostPlan
from eyrie.networks.render import node_ipsec
from eyrie.networks.render.networkd import TTL

INIT = "/etc/init.d/eyrie-network"
# Before openMosix (95 and 5), whose peers it reaches.
LINKS = (
    *(f"rc{level}.d/S94eyrie-network" for level in (2, 3, 4, 5)),
    *(f"rc{level}.d/K06eyrie-network" for level in (0, 1, 6)),
)
_END = "END-OF-INIT"


def present(plan: HostPlan, keys: str = "") -> str:
    """Have the node be in the pool's network, now and after its next boot.

    Prints a line for each thing that was not right; with the argument `yes` it changes none. A node that
    cannot says why and ends with 3, before anything is changed. `keys`, of mode ipsec, are secret.
    """
    ipsec = plan.mode == "ipsec"
    # Of an IPsec that stays, the rules stay too. An older script knows no `remove`.
    leave = f"{INIT} stop" if ipsec else f"{INIT} remove 2>/dev/null || {INIT} stop"
    kept = node_ipsec.keep_keys(keys, INIT) if ipsec else ""
    return f"""\
only_say=$1
{_can(plan)}
{kept}
init=$(cat << '{_END}'
{_init(plan)}{_END}
)
if [ "$(cat {INIT} 2>/dev/null)" != "$init" ]; then
    echo "script {INIT}"
    if [ "$only_say" = no ]; then
        [ ! -x {INIT} ] || {leave} || exit 1
        mkdir -p /etc/init.d || exit 1
        printf '%s\\n' "$init" > {INIT}.new && chmod 755 {INIT}.new && mv {INIT}.new {INIT} || exit 1
    fi
fi
levels=
for folder in /etc/rc.d /etc; do [ -n "$levels" ] || [ ! -d $folder/rc3.d ] || levels=$folder; done
for link in {" ".join(LINKS)}; do
    [ -n "$levels" ] && [ ! -e "$levels/$link" ] || continue
    echo "run level $levels/$link"
    [ "$only_say" = yes ] || ln -s {INIT} "$levels/$link" || exit 1
done
[ -x {INIT} ] || exit 0
lacks=$({INIT} status)
[ -z "$lacks" ] || echo "$lacks"
[ -z "$lacks" ] || [ "$only_say" = yes ] || {INIT} start
"""


def _can(plan: HostPlan) -> str:
    remedy = "choose pool_network_mode: hub, or take the node out of group pool_network"
    refuse = f'echo "this node {{0}}. Next: {remedy}" >&2'
    lines = [f"ip addr >/dev/null 2>&1 || {{ {refuse.format('has no program ip (iproute)')}; exit 3; }}"]
    if plan.mode == "ipip":
        lines += [
            "modprobe ipip 2>/dev/null",
            "if [ ! -d /proc/sys/net/ipv4/conf/tunl0 ]; then",
            f"    {refuse.format('has a kernel without IP-in-IP (CONFIG_NET_IPIP): $(uname -r)')}",
            "    exit 3",
            "fi",
        ]
    if plan.mode == "ipsec":
        lines += node_ipsec.lacks(refuse)
    return "\n".join(lines)


def _init(plan: HostPlan) -> str:
    """The script that the node's own boot calls."""
    parts = {"shadow": _shadow, "ipip": _ipip, "ipsec": node_ipsec.verbs}[plan.mode](plan)
    start, stop, remove, status = ("".join(f"    {line}\n" for line in part) for part in parts)
    functions = node_ipsec.functions(plan) if plan.mode == "ipsec" else ""
    return f"""\
#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Written by Eyrie: site.yml writes it again. The node's address in the pool's own network.
# Usage: eyrie-network start|stop|status|remove
has() {{ ip addr | grep " $1/" >/dev/null; }}
device() {{ ip addr | sed -n "s/^ *inet $1\\\\/.* \\\\([^ ]*\\\\)\\$/\\\\1/p"; }}
{functions}case $1 in
start)
{start}    ;;
stop)
{stop}    ;;
remove)
{remove}    ;;
status)
{status}    ;;
*)
    echo "usage: $0 start|stop|status|remove" >&2
    exit 2
    ;;
esac
""".replace("\\\\", "\\")


def _shadow(plan: HostPlan) -> tuple[list[str], list[str], list[str], list[str]]:
    address = f"{plan.private}/{plan.prefix_length}"
    start = [
        f"if has {plan.private}; then exit 0; fi",
        f"device=$(device {plan.official})",
        f'[ -n "$device" ] || {{ echo "no interface has {plan.official}" >&2; exit 1; }}',
        f'ip addr add {address} dev "$device"',
    ]
    stop = [f"if has {plan.private}; then ip addr delete {address} dev $(device {plan.private}); fi"]
    return start, stop, stop, [f'has {plan.private} || echo "address {plan.private}"']


def _ipip(plan: HostPlan) -> tuple[list[str], list[str], list[str], list[str]]:
    device = shlex.quote(plan.device)
    start = [
        "modprobe ipip 2>/dev/null",
        f"ip link show {device} >/dev/null 2>&1 || ip tunnel add {device} mode ipip local {plan.official}"
        f" ttl {TTL} pmtudisc || exit 1",
        f"ip link set {device} mtu {plan.mtu} up || exit 1",
        f"has {plan.private} || ip addr add {plan.private}/32 dev {device} || exit 1",
    ]
    # The iproute of that time knows no `replace` for every kernel: an old way is taken away first.
    for route, endpoint in _routes(plan):
        start += [
            f"ip route del {route} 2>/dev/null",
            f"ip route add {route} via {endpoint} dev {device} onlink src {plan.private} || exit 1",
        ]
    stop = [f"if ip link show {device} >/dev/null 2>&1; then ip tunnel del {device}; fi"]
    status = [f'has {plan.private} || echo "address {plan.private}"']
    for route, endpoint in _routes(plan):
        found = f'ip route list | grep "^{route.removesuffix("/32")} .*{endpoint} " >/dev/null'
        status.append(f'{found} || echo "route {route}"')
    return start, stop, stop, status


def _routes(plan: HostPlan) -> Iterator[tuple[str, str]]:
    for peer in plan.peers:
        for route in peer.routes:
            yield route, peer.endpoint
