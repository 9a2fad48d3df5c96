# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's cable to the pool's hub: what carries its frames, and news of how that goes."""

from __future__ import annotations

import socket

from eyrie.guests.backend import HubSpec, Message
from eyrie.hub.carrier import Carrier, HubLink
from eyrie.hub.tls import Identity


class Cable:
    """A carrier that runs, and what was last told of it."""

    def __init__(self, hub: HubSpec, qemu: socket.socket) -> None:
        """Take this end of QEMU's connection; raises EyrieError if the certificate cannot be used."""
        identity = Identity(hub.ca, hub.certificate, hub.key)
        self._carrier = Carrier(HubLink(hub.address, hub.port, identity), qemu)
        self._told = ("connecting", "")
        self._carrier.start()

    def news(self) -> list[Message]:
        """Return a message if something has changed: the state, and words that say why."""
        status = self._carrier.status()
        now = (status.state, status.reason)
        if now == self._told or status.state == "connecting":
            return []
        self._told = now
        return [Message("hub", (status.state, *status.reason.split()))]

    def unplug(self) -> None:
        """End it, without waiting."""
        self._carrier.stop()
