# SPDX-License-Identifier: GPL-3.0-or-later
"""POSIX sh for an openMosix node in mode ipsec: FreeS/WAN's KLIPS and pluto, spoken to by `whack`.

Their `ipsec auto` wants awk, which the nodes have not. Whatever is routed to KLIPS' device is encrypted or
dropped; rules of iptables see to it that private addresses go nowhere else, also when it is stopped. Even `[`
and `printf` are processes of their own there, so a key is only ever in a variable, `case` and `cat <<`.
"""

from __future__ import annotations

from collections.abc import Iterator

from eyrie.networks.model import KLIPS
from eyrie.networks.plan import HostPlan, Peer
from eyrie.networks.render import ike1

KEYS = "/etc/eyrie-network.keys"
CHAIN = "eyrie"
_CONTROL = "/var/run/eyrie-pluto"
_TOOLS = "eroute iptables pluto spi tncfg whack"


def lacks(refuse: str) -> list[str]:
    """End where the node cannot; `refuse` is a command with `{0}` for the reason."""
    kernel, tool, other = (
        f"{{ {refuse.format(reason)}; exit 3; }}"
        for reason in (
            "has a kernel without IPsec (KLIPS)",
            "has no program $tool (FreeS/WAN)",
            "runs a pluto of its own (tyd)",
        )
    )
    return [
        f"[ -e /proc/net/ipsec_version ] || {kernel}",
        f"for tool in {_TOOLS}; do type $tool >/dev/null 2>&1 || {tool}; done",
        f"[ ! -e /var/run/pluto.pid ] || {other}",
    ]


def keep_keys(keys: str, init: str) -> str:
    """Have the keys in a file; what was there before is in use no more."""
    return f"""\
keys=$(cat << 'END-OF-KEYS'
{keys}END-OF-KEYS
)
case $(cat {KEYS} 2>/dev/null) in
"$keys") ;;
*)
    echo "keys {KEYS}"
    if [ "$only_say" = no ]; then
        [ ! -x {init} ] || {init} stop || exit 1
        (umask 077 && cat > {KEYS}.new << END-OF-KEYS
$keys
END-OF-KEYS
        ) && mv {KEYS}.new {KEYS} || exit 1
    fi
    ;;
esac"""


def functions(plan: HostPlan) -> str:
    """What the script's verbs share."""
    return f"""\
control() {{ whack --ctlbase {_CONTROL} "$@"; }}
protected() {{
    for chain in INPUT OUTPUT; do iptables -n -L $chain | grep "^{CHAIN} " >/dev/null || return 1; done
    iptables -n -L {CHAIN} 2>/dev/null | grep " {plan.network} *$" >/dev/null
}}
unprotect() {{
    for chain in INPUT OUTPUT; do iptables -D $chain -j {CHAIN} 2>/dev/null; done
    iptables -F {CHAIN} 2>/dev/null && iptables -X {CHAIN}
}}
protect() {{
    unprotect
    iptables -N {CHAIN} || return 1
    for device in lo {KLIPS}; do
        iptables -A {CHAIN} -i $device -j RETURN && iptables -A {CHAIN} -o $device -j RETURN || return 1
    done
    iptables -A {CHAIN} -s {plan.network} -j DROP && iptables -A {CHAIN} -d {plan.network} -j DROP || return 1
    for chain in INPUT OUTPUT; do iptables -I $chain -j {CHAIN} || return 1; done
}}
leave() {{
    control --shutdown >/dev/null 2>&1
    for try in 1 2 3 4 5; do [ -e {_CONTROL}.ctl ] || break; sleep 1; done
    rm -f {_CONTROL}.pid {_CONTROL}.ctl
    for address in {plan.private} {plan.official}; do ip addr delete $address/32 dev {KLIPS} 2>/dev/null; done
    ip link set {KLIPS} down 2>/dev/null
    eroute --clear 2>/dev/null
    spi --clear 2>/dev/null
    tncfg --detach --virtual {KLIPS} 2>/dev/null
    return 0
}}
"""


def verbs(plan: HostPlan) -> tuple[list[str], list[str], list[str], list[str]]:
    """What `start`, `stop`, `remove` and `status` do. Stopped, a node still lets nothing out in the clear."""
    own = f"s/^ *inet {plan.official}\\/.* \\([^ ]*\\)$/\\1/p"
    start = [
        '[ -n "$($0 status)" ] || exit 0',
        "protected || protect || exit 1",
        "leave",
        f"device=$(ip addr | sed -n -e '/ {KLIPS}$/d' -e '{own}')",
        f'[ -n "$device" ] || {{ echo "no interface has {plan.official}" >&2; exit 1; }}',
        f'tncfg --attach --virtual {KLIPS} --physical "$device" || exit 1',
        f"ip addr add {plan.official}/32 dev {KLIPS} && ip addr add {plan.private}/32 dev {KLIPS} || exit 1",
        f"ip link set {KLIPS} mtu {plan.mtu} up || exit 1",
        f"pluto --secretsfile {KEYS} --ctlbase {_CONTROL} </dev/null >/dev/null 2>&1 || exit 1",
        "control --listen >/dev/null || exit 1",
        *(line for peer in plan.peers for line in _join(plan, peer)),
    ]
    status = [
        f'has {plan.private} || echo "address {plan.private}"',
        'protected || echo "rules"',
        'control --status >/dev/null 2>&1 || echo "pluto"',
    ]
    for peer in plan.peers:
        for route in peer.routes:
            found = f"grep ' -> {route} ' /proc/net/ipsec_eroute >/dev/null"
            status.append(f'{found} || echo "tunnel {peer.name}"')
    return start, ["leave"], ["leave", "unprotect", f"rm -f {KEYS}"], status


def _join(plan: HostPlan, peer: Peer) -> Iterator[str]:
    """The way to a peer first: with no tunnel yet, KLIPS drops what takes it."""
    name = ike1.name(peer)
    for route in peer.routes:
        yield f"ip route add {route} dev {KLIPS} src {plan.private} || exit 1"
        yield (
            f"control --name {name} --host {plan.official} --client {plan.behind} --updown true"
            f" --to --host {peer.endpoint} --client {route} --updown true"
            f" --psk --encrypt --tunnel --pfs --initiateontraffic --failnone --keyingtries 0"
            f" --ikelifetime {ike1.IKE_SECONDS} --ipseclifetime {ike1.ESP_SECONDS} >/dev/null || exit 1"
        )
        yield f"control --route --name {name} >/dev/null || exit 1"
        # Called at once, a peer forgets the tunnel to the node of before. It may be off: nobody waits for it.
        yield f"control --initiate --asynchronous --name {name} >/dev/null; :"
