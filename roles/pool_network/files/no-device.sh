#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Remove network devices; say which were there. Usage: no-device.sh yes|no (only say) DEVICE...
set -eu
only_say=$1
shift
for device; do
    [ -e "/sys/class/net/$device" ] || continue
    echo "$device"
    [ "$only_say" = yes ] || ip link delete dev "$device"
done
