#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Have the host's key and certificate, which are one file, where strongSwan looks for each; say which was not right.
set -eu
umask 077
part() {
    sed -n "/BEGIN .*$1/,/END .*$1/p" /etc/eyrie/network/ipsec.pem > "$2.new"
    if cmp -s "$2.new" "$2"; then
        rm "$2.new"
    else
        mv "$2.new" "$2"
        echo "$2"
    fi
}
part 'PRIVATE KEY' /etc/swanctl/private/eyrie.pem
part CERTIFICATE /etc/swanctl/x509/eyrie.pem
