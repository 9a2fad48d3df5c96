#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The host's addresses, as `ip -4 -oneline` prints them (which BusyBox's does not), and a line `left ROLE` for each role that has something on this host, in
# the order in which they leave: IPsec before the device it protects.
any() {
    role=$1
    shift
    for path; do
        [ -e "$path" ] && echo "left $role" && return
    done
}
all=$(ip addr) || exit 1
echo "$all" | while read -r first second rest; do
    case $first in
    [0-9]*:) device="$first ${second%:}" ;;
    inet) echo "$device inet $second $rest" ;;
    esac
done
any network_shadow /etc/systemd/system/eyrie-shadow.service /etc/eyrie/network/shadow
any network_wireguard /etc/systemd/network/60-eyrie-wg.* /etc/eyrie/network/wireguard.key /sys/class/net/eyrie-wg
any network_ipsec /etc/swanctl/conf.d/eyrie.conf /etc/swanctl/*/eyrie*.pem /etc/eyrie/network/ipsec.pem \
    /etc/strongswan.d/eyrie.conf
any network_ipip /etc/systemd/network/60-eyrie-ipip.* /etc/systemd/network/60-eyrie-fou* \
    /sys/class/net/eyrie-ipip /sys/class/net/eyrie-fou
exit 0
