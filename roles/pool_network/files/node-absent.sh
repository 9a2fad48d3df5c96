#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Take an openMosix node out of the pool's network; say what was there. Usage: node-absent.sh yes|no (only say)
only_say=$1
init=/etc/init.d/eyrie-network

[ -e $init ] || exit 0
echo $init
[ "$only_say" = no ] || exit 0
# An older one knows no `remove`.
$init remove 2>/dev/null || $init stop || exit 1
rm -f /etc/rc?.d/[SK]??eyrie-network /etc/rc.d/rc?.d/[SK]??eyrie-network $init
