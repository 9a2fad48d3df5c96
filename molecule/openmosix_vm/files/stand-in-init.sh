#!/bin/busybox sh
# SPDX-License-Identifier: GPL-3.0-or-later
# No openMosix: a kernel of today in the place of a node, to prove what runs nodes.
/bin/busybox --install -s /bin
ln -s busybox /bin/ash
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
echo "stand-in for an openMosix node" >/dev/ttyS0
while read -r module; do
    insmod "/modules/$module"
done </modules/order

# This kernel does not know ip=ADDRESS::GATEWAY:MASK:NAME::none.
read -r words </proc/cmdline
for word in $words; do
    case $word in
    ip=*)
        rest=${word#ip=}
        address=${rest%%:*}
        rest=${rest#*::*:}
        mask=${rest%%:*}
        ;;
    esac
done
ifconfig lo 127.0.0.1 up
ifconfig eth0 "$address" netmask "$mask" up
/etc/rc.local start
while :; do sleep 3600; done
