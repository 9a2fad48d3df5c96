# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that a host answers in one round trip.

What goes over the office's wire is counted there (hooks `egress` and `ingress` of the interface itself, after
encryption), in a table of rules that is gone when the script ends. No private key is read or printed.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from ipaddress import IPv4Address

from eyrie.networks.model import FOU_PORT, WIREGUARD_PORT
from eyrie.networks.plan import HostPlan
from eyrie.networks.render import node_sh

KINDS = {
    "private_source": "ip saddr {network}",
    "private_target": "ip daddr {network}",
    "ipip": "ip protocol 4",
    "esp": "ip protocol 50",
    "esp_udp": "udp dport 4500",
    "wireguard": f"udp dport {WIREGUARD_PORT}",
    "fou": f"udp dport {FOU_PORT}",
}
"""What is counted on the wire, by name. On a shadow network private addresses belong there."""
SECONDS = 8
"""How long one target may take; all are asked at once."""


def for_kind(plan: HostPlan, targets: Sequence[str]) -> str:
    """The script for one host; `targets` are private addresses of others."""
    return render_node(plan, targets) if plan.kind == "openmosix" else render(plan, targets)


def render_node(plan: HostPlan, targets: Sequence[str]) -> str:
    """The script for an openMosix node, whose BusyBox can ping and tell addresses.

    Only in mode ipsec something counts there: KLIPS the packets of each of its SAs.
    """
    sound = " ".join(str(IPv4Address(each)) for each in targets)
    ipsec = plan.mode == "ipsec"
    return _NODE.format(
        official=plan.official,
        targets=sound,
        payload=plan.mtu - 28,
        klips='klips() { sed -n "s/^esp/@klips $1 esp/p" /proc/net/ipsec_spi; }'
        if ipsec
        else "klips() { :; }",
        counted="yes" if ipsec else "no",
        rules=f"{node_sh.INIT} status | grep rules >/dev/null" if ipsec else "true",
    )


def render(plan: HostPlan, targets: Sequence[str]) -> str:
    """The script for a Linux host of today."""
    sound = " ".join(str(IPv4Address(each)) for each in targets)
    rules = "".join(_chain(plan, way) for way in ("egress", "ingress"))
    return _SCRIPT.format(
        official=plan.official,
        device=shlex.quote(plan.device),
        targets=sound,
        payload=plan.mtu - 28,  # IPv4 20 and ICMP 8
        rules=rules,
        counters="".join(f"counter {way}_{kind} {{ }}\n" for way in ("egress", "ingress") for kind in KINDS),
    )


def _chain(plan: HostPlan, way: str) -> str:
    lines = "".join(
        f"    {rule.format(network=plan.network)} counter name {way}_{kind}\n" for kind, rule in KINDS.items()
    )
    return (
        f'chain {way} {{\n    type filter hook {way} device "$office" priority 0; policy accept;\n{lines}}}\n'
    )


_SCRIPT = """\
LC_ALL=C; export LC_ALL
for tool in ip nft ping; do
    command -v $tool >/dev/null 2>&1 || {{ echo "$tool is not installed there" >&2; exit 3; }}
done
office=$(ip -4 -o address show to {official}/32 | awk '{{ print $2; exit }}')
device={device}; [ -n "$device" ] || device=$office
work=$(mktemp -d) || exit 1
finish() {{ nft delete table netdev eyrie_check 2>/dev/null; rm -rf "$work"; }}
trap finish EXIT
# Without these a lost connection would leave the counting behind.
trap "exit 1" HUP INT TERM PIPE
echo "@time $(date +%s)"
echo "@office $office"
nft delete table netdev eyrie_check 2>/dev/null
if [ -n "$office" ] && nft -f - <<END
table netdev eyrie_check {{
{counters}{rules}}}
END
then counted=yes; else counted=no; fi
echo "@counted $counted"
ask() {{
    # The first packet may wait for keys to be agreed.
    for try in 1 2 3; do
        ping -n -q -c 1 -W 2 "$1" > "$work/$1.small" 2>&1; code=$?
        [ $code -ne 0 ] || break
        sleep 0.5
    done
    echo "@small $1 $code" > "$work/$1"
    ping -n -c 1 -W 2 -M "do" -s {payload} "$1" > "$work/$1.big" 2>&1; echo "@big $1 $?" >> "$work/$1"
    sed -n 's/.*ttl=\\([0-9]*\\).*/\\1/p' "$work/$1.big" | sed "s/^/@ttl $1 /" >> "$work/$1"
    ip route get "$1" 2>&1 | sed -n '1p' | sed "s/^/@route $1 /" >> "$work/$1"
    ip neigh show to "$1" 2>/dev/null | sed "s/^/@neighbour $1 /" >> "$work/$1"
}}
for target in {targets}; do ask "$target" & done
wait
sleep 2
for target in {targets}; do cat "$work/$target"; done
nft list counters table netdev eyrie_check 2>/dev/null | tr -s ' \\t\\n' ' ' | sed 's/counter /\\n@counter /g'
echo
ip -4 -o address show | sed 's/^/@address /'
ip -o link show dev "$device" 2>/dev/null | sed 's/^/@link /'
nft list table inet eyrie_network >/dev/null 2>&1 && echo "@rules yes" || echo "@rules no"
if command -v wg >/dev/null 2>&1; then
    wg show "$device" public-key 2>/dev/null | sed 's/^/@key /'
    wg show "$device" latest-handshakes 2>/dev/null | sed 's/^/@handshake /'
    wg show "$device" transfer 2>/dev/null | sed 's/^/@transfer /'
fi
if command -v swanctl >/dev/null 2>&1; then
    ip -s xfrm state list nokeys 2>/dev/null | sed -n 's/^src .*/@sa &/p'
    journalctl --quiet --no-pager --unit strongswan --since -3min --output cat 2>/dev/null |
        grep -E 'AUTH_FAILED|NO_PROPOSAL|no trusted|not valid|expired|no private key|retransmit [345]' |
        tail -n 5 | sed 's/^/@ike /'
fi
echo "@end"
"""

# Its ping waits ten seconds for an answer, and knows nothing of fragments; there is no mktemp.
_NODE = """\
work=/tmp/eyrie-check.$$
mkdir -m 700 $work || exit 1
trap "rm -rf $work" 0
trap "exit 1" 1 2 13 15
echo "@time $(date +%s)"
addresses() {{
    ip addr | while read -r first second rest; do
        case $first in
        [0-9]*:) device="$first ${{second%:}}" ;;
        link/ether) echo "@link $device link/ether $second" ;;
        inet) echo "@address $device inet $second" ;;
        esac
    done
}}
addresses > $work/addresses
# KLIPS' device has the official address a second time.
own='s/^@address [0-9]*: \\([^ ]*\\) inet {official}\\/.*/\\1/p'
device=$(sed -n -e '/: ipsec[0-9] /d' -e "$own" $work/addresses)
echo "@office $device"
echo "@counted {counted}"
{klips}
klips before
ask() {{
    ping -c 1 $1 > $work/$1.small 2>&1; echo "@small $1 $?" > $work/$1
    ping -c 1 -s {payload} $1 > $work/$1.big 2>&1; echo "@big $1 $?" >> $work/$1
    sed -n 's/.*ttl=\\([0-9]*\\).*/\\1/p' $work/$1.big | sed "s/^/@ttl $1 /" >> $work/$1
}}
for target in {targets}; do ask $target & done
wait
klips after
for target in {targets}; do cat $work/$target; done
grep "^@address" $work/addresses
grep "^@link [0-9]*: $device " $work/addresses
{rules} && echo "@rules no" || echo "@rules yes"
echo "@end"
"""
