#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Have a private key that systemd-networkd reads, and nobody else; print the public one. What had to be done, or in a
# check would have to be, is said on the error stream. Usage: key.sh yes|no (only check)
set -eu
only_check=$1
key=/etc/eyrie/network/wireguard.key
rights='640 root systemd-network'

if [ ! -s "$key" ]; then
    echo "no key" >&2
    [ "$only_check" = no ] || exit 0
    umask 022
    mkdir -p "${key%/*}"
    umask 077
    wg genkey > "$key.new"
    mv "$key.new" "$key"
fi
if [ "$(stat -c '%a %U %G' "$key")" != "$rights" ]; then
    echo "rights" >&2
    if [ "$only_check" = no ]; then
        chown root:systemd-network "$key"
        chmod 0640 "$key"
    fi
fi
command -v wg >/dev/null || exit 0 # in a check, WireGuard's tools may not be there yet
wg pubkey < "$key"
