#!/bin/ash
# SPDX-License-Identifier: GPL-3.0-or-later
# A node's side of the serial line: its master asks in words, and needs neither network nor key for it.
# Written for BusyBox v1.00-pre10: no awk, no tr, no grep -E.
PATH=/bin:/sbin:/usr/bin:/usr/sbin

count_guests() {
    set -- /proc/hpc/remote/[0-9]*
    [ -e "$1" ] || shift
    count=$#
}

answer() {
    case "$1" in
    drain)
        if [ -d /proc/hpc/admin ]; then
            mosctl block >/dev/null 2>&1
            mosctl expel >/dev/null 2>&1
        fi
        count_guests
        echo "eyrie: guests $count"
        ;;
    resume)
        [ -d /proc/hpc/admin ] && mosctl noblock >/dev/null 2>&1
        echo "eyrie: resumed"
        ;;
    halt)
        echo "eyrie: halting"
        /sbin/init 0
        ;;
    esac
}

# init switches openMosix off after it has started this program: the table is set once that is over.
set_table() {
    grep '^ *[0-9]' /etc/openmosix.map >/dev/null 2>&1 || return
    for _try in 1 2 3 4 5 6 7 8 9 10; do
        sleep 3
        read -r number </proc/hpc/admin/mospe
        [ "$number" = 0 ] || break
        setpe -W -f /etc/openmosix.map && echo "eyrie: node table set"
    done
}

# A kernel without a console on the serial line says nothing there by itself.
dmesg 2>/dev/null
read -r name </etc/eyrie-node
echo "eyrie: node $name is up"
[ -d /proc/hpc/admin ] && set_table &
while read -r word _rest; do
    answer "$word"
done
