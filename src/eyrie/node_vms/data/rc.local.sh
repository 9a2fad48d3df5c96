#!/bin/ash
# SPDX-License-Identifier: GPL-3.0-or-later
# Started by init, before it sets openMosix up.
case "$1" in
start) /sbin/eyrie-console </dev/ttyS0 >/dev/ttyS0 2>&1 & ;;
esac
