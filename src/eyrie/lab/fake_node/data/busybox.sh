#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The multi-call binary of a fake openMosix node: knows the programs that are there, and no others.
if [ $# -eq 0 ] || [ "$1" = --help ]; then
    echo 'BusyBox v1.00-pre10 (fake openMosix node) multi-call binary'
    exit 0
fi
for place in /bin /sbin; do
    if [ -x "$place/$1" ]; then
        program=$place/$1
        shift
        exec "$program" "$@"
    fi
done
echo "$1: applet not found" >&2
exit 1
