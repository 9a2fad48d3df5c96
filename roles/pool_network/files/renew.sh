#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Have the pool's device be as its units say. Usage: renew.sh DEVICE MTU
set -eu
device=$1 mtu=$2

for other in eyrie-ipip eyrie-fou eyrie-wg; do
    [ "$other" = "$device" ] || [ ! -e "/sys/class/net/$other" ] || ip link delete dev "$other"
done
# systemd-networkd changes no device that is there. WireGuard's peers change without it: nobody else's packets wait.
if [ "$device" = eyrie-wg ] && [ -e /sys/class/net/eyrie-wg ] && [ "$(cat /sys/class/net/eyrie-wg/mtu)" = "$mtu" ]; then
    # All of it: what a configuration does not name, `wg syncconf` takes away, the key too.
    wanted=$(mktemp /run/eyrie-wg.XXXXXX)
    trap 'rm -f "$wanted"' EXIT
    {
        echo '[Interface]'
        printf 'PrivateKey=%s\n' "$(cat /etc/eyrie/network/wireguard.key)"
        sed -e '1,/^\[WireGuard\]/d' -e '/^PrivateKeyFile=/d' -e 's/^\[WireGuardPeer\]/[Peer]/' \
            /etc/systemd/network/60-eyrie-wg.netdev
    } > "$wanted"
    wg syncconf eyrie-wg "$wanted"
elif [ -e "/sys/class/net/$device" ]; then
    ip link delete dev "$device"
fi
systemctl --quiet is-enabled systemd-networkd.service || systemctl --quiet enable systemd-networkd.service
systemctl start systemd-networkd.service
networkctl reload
# A reload alone gives a device back nothing that somebody has taken from it.
[ ! -e "/sys/class/net/$device" ] || networkctl reconfigure "$device"
