# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of coLinux that control side and agent both know; read by a desktop's Python 3.8 too."""

from __future__ import annotations

DAEMON = "colinux-daemon.exe"
"""Hosts one guest."""

HELPERS = {
    "bridge": "colinux-bridged-net-daemon.exe",
    "ndis": "colinux-ndis-net-daemon.exe",
    "tap": "colinux-net-daemon.exe",
    "slirp": "colinux-slirp-net-daemon.exe",
}
"""The process that carries a guest's frames, by the kind of its network; without it the guest has none."""
