# SPDX-License-Identifier: GPL-3.0-or-later
"""Shadow: the private address on the interface that has the official one, whoever manages that interface."""

from __future__ import annotations

from eyrie.networks.plan import HostPlan


def render(plan: HostPlan) -> str:
    """A script that puts the address there (`up`) and takes it away (`down`)."""
    address = f"{plan.private}/{plan.prefix_length}"
    return f"""#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Written by Eyrie: site.yml writes it again.
set -eu
device=$(ip -4 -o addr show to {plan.official}/32 | awk '{{ print $2; exit }}')
case $1 in
up)
    if [ -z "$device" ]; then
        echo "no interface has {plan.official}, this host's address in the inventory" >&2
        exit 1
    fi
    ip addr replace {address} dev "$device" noprefixroute
    ip route replace {plan.network} dev "$device" src {plan.private}
    ;;
down)
    # The route goes with its source address.
    device=$(ip -4 -o addr show to {plan.private}/32 | awk '{{ print $2; exit }}')
    [ -z "$device" ] || ip addr delete {address} dev "$device"
    ;;
esac
"""
