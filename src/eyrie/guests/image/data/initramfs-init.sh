#!/bin/busybox sh
# SPDX-License-Identifier: GPL-3.0-or-later
# First program of the guest: greets the agent, loads drivers, mounts the image and hands over to it.

fail() {
    echo "eyrie: $*" >/dev/console
    echo "refused image $*" >&3
    sleep 1 # the line is on its way while the agent still listens
    poweroff -f
    sleep 60
}

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
exec </dev/null >/dev/console 2>&1

# A desktop finding out whether its KVM runs this kernel.
read -r words </proc/cmdline
case " $words " in
*' eyrie.probe '*) echo "eyrie: the probe runs"; poweroff -f; sleep 60 ;;
esac

# The agent waits for this port: it is the only way a guest can speak to it.
port=
for name in /sys/class/virtio-ports/*/name; do
    read -r value <"$name" && [ "$value" = org.eyrie.agent ] && port=${name%/name}
done
[ -n "$port" ] || { echo "eyrie: no port named org.eyrie.agent"; poweroff -f; }
exec 3<>"/dev/${port##*/}"
echo "hello 1" >&3
echo "state booting" >&3

while read -r module; do
    insmod "/modules/$module" || fail "module $module does not load"
done </modules/order

mount -t squashfs -o ro /dev/vda /lower || fail "root.squashfs does not mount"
mount -t tmpfs -o mode=755,size=90% tmpfs /rw || fail "no memory for the root"
mkdir /rw/upper /rw/work
mount -t overlay -o lowerdir=/lower,upperdir=/rw/upper,workdir=/rw/work overlay /root || fail "no overlay"
mount --move /proc /root/proc
mount --move /sys /root/sys
mount --move /dev /root/dev
exec switch_root /root /sbin/init
