# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that look for hardware, of which a guest has none.

Guests crashed while they booted where gdm, pcmcia, hotkeys or power daemons of a dual-boot installation ran
in them, as users told; the rest is of the same kind. udev is not among them: images of 2.6 need it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LINK = re.compile(
    r"/etc/(?:rc\.d/)?rc[0-9S]\.d/S[0-9]{2}(?:"
    r"acpi-support|acpid|alsa|alsa-utils|alsasound|apm|apmd|console-screen|cpufreqd|cpuspeed|dhcpcd|discover"
    r"|gdm|gpm|haldaemon|hdparm|hotkey-setup|hotkeys|hotplug|hotplug-net|hwclock|hwclockfirst|ifplugd|irda"
    r"|irqbalance|isdnutils|kdm|keymap|keytable|kudzu|laptop-mode|lm-sensors|microcode|numlockx|pcmcia"
    r"|powernowd|powersaved|raid2|setserial|smartd|smartmontools|sound|usb|usbmgr|vbesave|wdm|xdm|xfs"
    r")(?:\.sh)?"
)


def links(paths: Iterable[str]) -> list[str]:
    """Return the links of run levels that start one."""
    return sorted(path for path in paths if _LINK.fullmatch(path))
