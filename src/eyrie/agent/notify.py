# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd wants to hear of its service: ready, ending, alive (sd_notify(3), one datagram each)."""

from __future__ import annotations

import os
import socket


class Notifier:
    """Tells systemd, if it listens."""

    def __init__(self) -> None:
        address = os.environ.pop("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        usec = os.environ.pop("WATCHDOG_USEC", "")
        self._interval = int(usec) / 2e6 if usec.isdigit() else 0.0
        self._last = 0.0

    def tell(self, text: str) -> None:
        """Send one message; nobody listening is fine, as when started by hand."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.settimeout(0.1)
            try:
                link.sendto(text.encode(), self._address)
            except OSError:  # systemd judges silence itself
                return

    def alive(self, now: float) -> None:
        """Feed the watchdog, twice in its interval."""
        if self._interval and now - self._last >= self._interval:
            self._last = now
            self.tell("WATCHDOG=1")
