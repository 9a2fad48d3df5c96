# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that make an openMosix node of a lab this node, genuine or fake. Pure."""

from __future__ import annotations

from eyrie.lab.seed import Keys, SeedFile

# The image's own script makes a new host key at each boot: that takes long, and nobody could know it before.
# This kernel has no serial console: what it said, and what syslog hears, goes to the serial line from here.
START_SSHD = """\
# Eyrie's lab brings the host key along.
case "$1" in
    start|all)
        /sbin/sshd > /dev/null
        (dmesg; logread -f) > /dev/ttyS0 2>&1 < /dev/null &
        ;;
esac
"""


def files(keys: Keys) -> tuple[SeedFile, ...]:
    """Return the files of a node of this lab."""
    return (
        SeedFile("etc/ssh/authorized_keys", keys.administrator, 0o600),
        SeedFile("etc/ssh/ssh_host_rsa_key", keys.host_private, 0o600),
        SeedFile("etc/ssh/ssh_host_rsa_key.pub", keys.host_public),
        SeedFile("sbin/init-sshd", START_SSHD, 0o755),
    )
