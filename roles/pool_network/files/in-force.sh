#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What of the pool's network is written down and not in force: in a line each the kind of its file, and what lacks.
# Usage: in-force.sh MODE PRIVATE [DEVICE MTU]
mode=$1 private=$2 device=${3:-} mtu=${4:-}
units=/etc/systemd/network

# In check mode on a clean host nothing is written yet.
[ -e /etc/eyrie/network/network.nft ] || exit 0
nft list table inet eyrie_network >/dev/null 2>&1 || echo "rules table"
if [ "$mode" = shadow ]; then
    ip -4 -o address show to "$private/32" | grep . >/dev/null || echo "shadow address"
    exit 0
fi
[ -e "$units/60-$device.netdev" ] || exit 0
for other in eyrie-ipip eyrie-fou eyrie-wg; do
    [ "$other" = "$device" ] || [ ! -e "/sys/class/net/$other" ] || echo "device $other is left"
done
systemctl --quiet is-enabled systemd-networkd.service && systemctl --quiet is-active systemd-networkd.service ||
    echo "device manager"
ip -4 -o address show dev "$device" to "$private/32" 2>/dev/null | grep . >/dev/null || echo "device address"
[ "$(cat "/sys/class/net/$device/mtu" 2>/dev/null)" = "$mtu" ] || echo "device MTU"
case $mode in
wireguard)
    [ "$(sed -n 's/^PublicKey=//p' "$units/60-$device.netdev" | sort)" = "$(wg show "$device" peers 2>/dev/null | sort)" ] ||
        echo "device peers"
    [ "$(wg pubkey < /etc/eyrie/network/wireguard.key)" = "$(wg show "$device" public-key 2>/dev/null)" ] || echo "device key"
    ;;
ipsec)
    [ "$(grep -c '^  eyrie-' /etc/swanctl/conf.d/eyrie.conf)" = "$(swanctl --list-conns 2>/dev/null | grep -c '^eyrie-')" ] ||
        echo "ipsec connections"
    ;;
esac
exit 0
