#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Take the pool's rules away, with their service and folders; say what was there. Usage: rules-absent.sh yes|no (only say)
only_say=$1
unit=/etc/systemd/system/eyrie-network.service

there=$(ls -d "$unit" /etc/eyrie/network 2>/dev/null)
[ -n "$there" ] || exit 0
echo "$there"
[ "$only_say" = no ] || exit 0
if [ -e "$unit" ]; then
    systemctl --quiet disable --now eyrie-network.service || exit 1
    rm -f "$unit" || exit 1
    systemctl daemon-reload
fi
rm -rf /etc/eyrie/network
# Something else of Eyrie may be in it.
[ ! -d /etc/eyrie ] || rmdir --ignore-fail-on-non-empty /etc/eyrie
