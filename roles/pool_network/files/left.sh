#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The roles that have something on this host, in the order in which they leave: IPsec before the device it protects.
any() {
    role=$1
    shift
    for path; do
        [ -e "$path" ] && echo "$role" && return
    done
}
any network_shadow /etc/systemd/system/eyrie-shadow.service /etc/eyrie/network/shadow
any network_wireguard /etc/systemd/network/60-eyrie-wg.* /etc/eyrie/network/wireguard.key /sys/class/net/eyrie-wg
any network_ipsec /etc/swanctl/conf.d/eyrie.conf /etc/swanctl/*/eyrie*.pem /etc/eyrie/network/ipsec.pem
any network_ipip /etc/systemd/network/60-eyrie-ipip.* /etc/systemd/network/60-eyrie-fou* \
    /sys/class/net/eyrie-ipip /sys/class/net/eyrie-fou
exit 0
