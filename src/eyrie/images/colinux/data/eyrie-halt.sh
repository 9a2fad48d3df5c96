#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# coLinux 0.6 stops a guest with Ctrl-Alt-Del: halt it cleanly. A reboot would end it as well, but not say so.

echo "eyrie: halting"
if [ -x /sbin/shutdown ]; then
    exec /sbin/shutdown -h now
fi
# BusyBox has no run levels, whose links would empty the node.
[ ! -x /etc/init.d/openmosix ] || /etc/init.d/openmosix stop
exec /sbin/poweroff
