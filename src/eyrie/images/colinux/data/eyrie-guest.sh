#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A guest of a desktop learns from its boot line who it is. init calls it once the root file system is writable.
# For the shells and tools of 2004: no awk, no tr, no arrays. The second argument is the root that a test gives,
# with a PATH of its own: this machine's programs would change this machine.

root=${2-}
if [ -z "$root" ]; then
    PATH=/sbin:/usr/sbin:/bin:/usr/bin
    export PATH
fi

say() {
    echo "eyrie: $*"
}

refuse() {
    say "refused: $*"
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

is_name() {
    case $1 in
    '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) return 1 ;;
    esac
}

is_number() {
    case $1 in
    '' | *[!0-9]* | ??????*) return 1 ;;
    esac
}

is_address() {
    case $1 in
    '' | *[!0-9.]* | .* | *. | *..*) return 1 ;;
    esac
    __ifs=$IFS
    IFS=.
    # shellcheck disable=SC2086 # its parts
    set -- $1
    IFS=$__ifs
    [ $# -eq 4 ] || return 1
    for octet; do
        is_number "$octet" && [ "$octet" -le 255 ] || return 1
    done
}

is_interface() {
    case $1 in
    */*/*) return 1 ;;
    */*) is_address "${1%/*}" && is_number "${1#*/}" && [ "${1#*/}" -ge 1 ] && [ "${1#*/}" -le 32 ] ;;
    *) return 1 ;;
    esac
}

# Sets pool, name, address, gateway, node and master.
read_boot_line() {
    pool='' name='' address='' gateway='' node='' master='' line=''
    read -r line <"$root/proc/cmdline" || [ -n "$line" ] || refuse "/proc/cmdline cannot be read"
    set -f
    for word in $line; do
        key=${word%%=*} value=${word#*=}
        case $word in
        eyrie_pool=* | eyrie_name=*) is_name "$value" || refuse "$word is no name" ;;
        eyrie_address=*) is_interface "$value" || refuse "$word is not such as 10.77.0.21/24" ;;
        eyrie_gateway=* | eyrie_master=*) is_address "$value" || refuse "$word is no address" ;;
        eyrie_node=*)
            is_number "$value" || refuse "$word is no node's number"
            if [ "$value" -lt 1 ] || [ "$value" -gt 65534 ]; then refuse "$word is no node's number"; fi
            ;;
        eyrie_*) refuse "$word is not known" ;;
        *) continue ;;
        esac
        key=${key#eyrie_}
        eval "before=\$$key"
        [ -z "$before" ] || refuse "eyrie_$key stands there twice"
        eval "$key=\$value"
    done
    set +f
    if [ -z "$pool" ] || [ -z "$name" ]; then refuse "the boot line holds no eyrie_pool and eyrie_name"; fi
    [ -z "$gateway" ] || [ -n "$address" ] || refuse "eyrie_gateway without eyrie_address"
}

# $1: length of the network. Sets mask.
to_mask() {
    left=$1 mask=''
    for _ in 1 2 3 4; do
        case $left in
        0) part=0 ;;
        1) part=128 ;;
        2) part=192 ;;
        3) part=224 ;;
        4) part=240 ;;
        5) part=248 ;;
        6) part=252 ;;
        7) part=254 ;;
        *) part=255 ;;
        esac
        left=$((left > 8 ? left - 8 : 0))
        mask=$mask${mask:+.}$part
    done
}

# A reader of the file never sees half of it.
write() {
    cat >"$root$1.new" && mv "$root$1.new" "$root$1"
}

set_name() {
    hostname "$name" || refuse "the host name $name is not taken"
    echo "$name" | write /etc/hostname || refuse "/etc/hostname cannot be written"
    own=127.0.0.1
    [ -z "$address" ] || own=${address%/*}
    {
        grep -v ' # eyrie$' "$root/etc/hosts" 2>/dev/null || echo 127.0.0.1 localhost
        echo "$own $name # eyrie"
        [ -z "$master" ] || echo "$master eyrie-master # eyrie"
    } | write /etc/hosts || refuse "/etc/hosts cannot be written"
}

lease() {
    if has udhcpc; then
        udhcpc -n -i eth0 # -n: fail rather than wait for ever
    elif has dhclient; then
        dhclient eth0
    elif has pump; then
        pump -i eth0
    elif has dhcpcd; then
        dhcpcd eth0
    else
        refuse "no eyrie_address, and no program that asks for one"
    fi || refuse "no address was given to eth0"
}

set_address() {
    if has ifconfig; then
        ifconfig lo 127.0.0.1 up
    else
        ip link set lo up
    fi
    if [ -z "$address" ]; then
        lease
        return
    fi
    to_mask "${address#*/}"
    if has ifconfig; then
        ifconfig eth0 "${address%/*}" netmask "$mask" up || refuse "eth0 does not take $address"
    else
        { ip address add "$address" dev eth0 && ip link set eth0 up; } || refuse "eth0 does not take $address"
    fi
    [ -n "$gateway" ] || return 0
    if has route; then
        route del default 2>/dev/null
        route add default gw "$gateway" || refuse "the gateway $gateway is not taken"
    else
        ip route replace default via "$gateway" || refuse "the gateway $gateway is not taken"
    fi
}

# As much as there is memory, at most half of what is free. The image carries none: it would be copied to every desktop.
make_swap() {
    memory=0
    while read -r key value _; do
        [ "$key" != MemTotal: ] || memory=$(((value + 1023) / 1024))
    done <"$root/proc/meminfo"
    file=/eyrie-swap.$memory
    if [ ! -f "$root$file" ]; then
        rm -f "$root"/eyrie-swap.*
        # Of a long device's name df makes a line of its own.
        # shellcheck disable=SC2046 # its words
        set -- $(df -k "$root/" | sed -n '$p')
        while [ $# -gt 3 ]; do shift; done
        is_free=$(($1 / 2048))
        size=$((memory < is_free ? memory : is_free))
        [ "$size" -ge 8 ] || {
            say "no swap: $1 KiB are free"
            return 0
        }
        say "making $size MiB of swap"
        new=$root/eyrie-swap.new
        if ! { (umask 077 && dd if=/dev/zero of="$new" bs=1048576 count="$size" 2>/dev/null) &&
            mkswap "$new" >/dev/null && mv "$new" "$root$file"; }; then
            rm -f "$new"
            say "no swap: it could not be made"
            return 0
        fi
    fi
    grep -q "^$file " "$root/proc/swaps" || swapon "$root$file" || say "no swap: $file is not taken"
}

start() {
    read_boot_line
    mkdir -p "$root/etc/eyrie"
    set_name
    set_address
    for key in pool name address gateway node master; do
        eval "echo \"$key=\$$key\""
    done | write /etc/eyrie/guest || refuse "/etc/eyrie/guest cannot be written"
    make_swap
    say "guest $name of pool $pool is up at ${address:-an address by DHCP}"
}

# Says who it is and which number openMosix has; fails where that is not the number it was given.
status() {
    read_boot_line
    number=0
    [ ! -r "$root/proc/hpc/admin/mospe" ] || read -r number <"$root/proc/hpc/admin/mospe"
    echo "name=$name pool=$pool address=$address node=$node number=$number"
    [ -z "$node" ] || [ "$node" = "$number" ]
}

case ${1-} in
start) start ;;
status) status ;;
*)
    echo "usage: $0 start|status" >&2
    exit 2
    ;;
esac
