# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub's Ethernet switch. It has nothing to learn: the inventory says which guest has which MAC address.

What is no guest's address is behind the trunk (the master's tap). So no guest can make the switch forget or
believe anything, no frame for one guest is ever shown to another, and there is no table to fill.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from eyrie.errors import EyrieError
from eyrie.hub.frames import SHORTEST
from eyrie.hub.guard import Grant, is_link_local, mac_text, refusal

TRUNK = ""  # the trunk's name: no desktop has it
QUEUE_BYTES = 512 * 1024
_HEADER = 18  # Ethernet's, with a VLAN tag that may come from the trunk


@dataclass
class Counters:
    """What one port has seen since the hub's start, or since its desktop came."""

    received_frames: int = 0
    received_bytes: int = 0
    sent_frames: int = 0
    sent_bytes: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    def drop(self, reason: str) -> None:
        """Count one frame that went nowhere."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1


class Bucket:
    """Lets so many frames a second through, and twice that at once."""

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._left = 2 * per_second
        self._then = 0.0

    def take(self, now: float) -> bool:
        """Take one, if there is one."""
        self._left = min(2 * self._rate, self._left + (now - self._then) * self._rate)
        self._then = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Port:
    """One end of the switch: a guest's, or the trunk. What is to be sent waits here, up to a bound."""

    def __init__(self, grant: Grant | None, flood_per_second: float) -> None:
        self.grant = grant
        self.name = grant.name if grant else TRUNK
        self.counters = Counters()
        self.floods = Bucket(flood_per_second)
        self._queue: list[bytes] = []
        self._queued = 0

    def put(self, frame: bytes) -> None:
        """Queue a frame; one that finds no room is lost, so that a slow guest holds up nobody else."""
        if self._queued + len(frame) > QUEUE_BYTES:
            self.counters.drop("queue-full")
            return
        self._queue.append(frame)
        self._queued += len(frame)

    def take(self) -> list[bytes]:
        """Return what waits, and count it as sent."""
        frames, self._queue = self._queue, []
        self.counters.sent_frames += len(frames)
        self.counters.sent_bytes += self._queued
        self._queued = 0
        return frames


class Switch:
    """Ports and what passes between them. `dirty` have something to send, for the caller to empty."""

    def __init__(self, grants: Iterable[Grant], mtu: int, flood_per_second: float) -> None:
        self._longest = mtu + _HEADER
        self._flood_per_second = flood_per_second
        self._ports: dict[str, Port] = {}
        self.dirty: set[Port] = set()
        self._grants: dict[str, Grant] = {}
        self._owners: dict[bytes, str] = {}
        self.regrant(grants)

    def regrant(self, grants: Iterable[Grant]) -> list[Port]:
        """Take a new list; return the ports of those who lost or changed what they had, already detached."""
        grants = list(grants)
        owners = owners_of(grants)
        self._grants = {grant.name: grant for grant in grants}
        self._owners = owners
        gone = [port for port in self._ports.values() if port.grant != self._grants.get(port.name)]
        for port in gone:
            self.detach(port)
        return gone

    def attach(self, name: str) -> Port | None:
        """Give a proven name its port, taken from an older connection of that name; None: no such guest."""
        grant = self._grants.get(name)
        return self._add(Port(grant, self._flood_per_second)) if grant else None

    def attach_trunk(self) -> Port:
        """Join what lies outside: the master and what is bridged to it."""
        return self._add(Port(None, self._flood_per_second))

    def _add(self, port: Port) -> Port:
        self._ports[port.name] = port
        return port

    def detach(self, port: Port) -> None:
        """Forget a port; one that was replaced is forgotten already."""
        if self._ports.get(port.name) is port:
            del self._ports[port.name]
        self.dirty.discard(port)

    def is_attached(self, port: Port) -> bool:
        """Whether the port still is the one of its name."""
        return self._ports.get(port.name) is port

    def ports(self) -> list[Port]:
        """Return all ports, the trunk last."""
        return sorted(self._ports.values(), key=lambda port: (port.name == TRUNK, port.name))

    def names(self) -> list[str]:
        """Return who may come."""
        return sorted(self._grants)

    def forward(self, port: Port, frames: Sequence[bytes], now: float) -> None:
        """Queue each frame where it belongs."""
        if not self.is_attached(port):
            return
        counters, grant, owners = port.counters, port.grant, self._owners
        for frame in frames:
            counters.received_frames += 1
            counters.received_bytes += len(frame)
            reason = self._refusal(frame, grant)
            if reason:
                counters.drop(reason)
            elif frame[0] & 1:
                self._flood(port, frame, now)
            else:
                target = self._ports.get(owners.get(frame[:6], TRUNK))
                if target is None or target is port:
                    counters.drop("nobody")
                else:
                    target.put(frame)
                    self.dirty.add(target)

    def _refusal(self, frame: bytes, grant: Grant | None) -> str:
        if not SHORTEST <= len(frame) <= self._longest:
            return "length"
        if grant is not None:
            return refusal(frame, grant)
        return "guest-mac" if frame[6:12] in self._owners else ""

    def _flood(self, port: Port, frame: bytes, now: float) -> None:
        if is_link_local(frame):
            port.counters.drop("link-local")
        elif not port.floods.take(now):
            port.counters.drop("storm")
        else:
            for other in self._ports.values():
                if other is not port:
                    other.put(frame)
                    self.dirty.add(other)


def owners_of(grants: Iterable[Grant]) -> dict[bytes, str]:
    """Return who has which MAC address; raises EyrieError where two share one, or an IPv4 address."""
    owners: dict[bytes, str] = {}
    addresses: dict[bytes, str] = {}
    names: set[str] = set()
    for grant in grants:
        if grant.name in names:
            raise EyrieError("hub's list of guests", seen=f"{grant.name} twice", wanted="every desktop once")
        names.add(grant.name)
        for mac in grant.macs:
            _claim(owners, mac, grant.name, f"MAC address {mac_text(mac)}")
        if grant.address is not None:
            _claim(addresses, grant.address, grant.name, f"address {'.'.join(map(str, grant.address))}")
    return owners


def _claim(owners: dict[bytes, str], what: bytes, name: str, text: str) -> None:
    other = owners.setdefault(what, name)
    if other != name:
        raise EyrieError(
            f"{text} of the pool's guests", seen=f"{other} and {name}", wanted="one guest for each"
        )
