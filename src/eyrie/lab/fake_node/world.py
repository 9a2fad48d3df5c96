# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fake openMosix node believes: its table, flags, peers, processes and guests. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from eyrie.nodetable import Table

UP, CONFIGURED = 2, 1
FLAGS = {"stay": 4, "lstay": 8, "block": 16, "quiet": 32, "nomfs": 64}
# Genuine nodes gossip every second and are held to be down within three.
SILENCE_SECONDS = 2.5
BUSY_SECONDS = 1.5
LOAD = 100  # of one process that computes all the time
# A peer has to be that much less busy for a process to go there by itself.
GAIN = 50


@dataclass
class Figures:
    """What a node tells about itself; the names are those of /proc/hpc/nodes/N."""

    load: int = 0
    speed: int = 10000
    mem: int = 123142144
    rmem: int = 104267776
    tmem: int = 134086656
    util: int = 100
    cpus: int = 1


@dataclass
class Peer:
    """A node heard of."""

    figures: Figures
    flags: int
    heard: float  # monotonic seconds


@dataclass
class Process:
    """A process whose home this node is."""

    pid: int
    command: str
    is_movable: bool
    where: int = 0
    nmigs: int = 0
    is_locked: bool = False
    busy_seconds: float = 0.0


@dataclass
class Guest:
    """A process of another node that is here."""

    number: int  # its number here, unlike the one it has at home
    home: int
    home_address: str
    home_pid: int
    command: str
    nmigs: int


@dataclass
class World:
    """The state of one fake node."""

    address: str
    table: Table = field(default_factory=Table)
    own: int = 0  # 0: openMosix is off
    flags: set[str] = field(default_factory=set)
    figures: Figures = field(default_factory=Figures)
    peers: dict[int, Peer] = field(default_factory=dict)
    processes: dict[int, Process] = field(default_factory=dict)
    guests: dict[int, Guest] = field(default_factory=dict)

    def is_configured(self, number: int) -> bool:
        """Whether the table has the node."""
        return self.own != 0 and self.table.address_of(number) is not None

    def is_up(self, number: int, now: float) -> bool:
        """Whether a configured node is seen."""
        if number == self.own:
            return True
        peer = self.peers.get(number)
        return peer is not None and now - peer.heard < SILENCE_SECONDS

    def flags_of(self, number: int, now: float) -> int:
        """Return the number in /proc/hpc/nodes/N/status."""
        if not self.is_up(number, now):
            return CONFIGURED
        bits = self.own_flags() if number == self.own else self.peers[number].flags
        return CONFIGURED | UP | bits

    def own_flags(self) -> int:
        """Return the own flags as bits."""
        return sum(FLAGS[flag] for flag in self.flags)

    def hear(self, address: str, me: int, you: int, peer: Peer) -> None:
        """Believe a peer only if both nodes give one another the numbers they have."""
        if self.own and you == self.own and self.table.number_of(address) == me and me != self.own:
            self.peers[me] = peer

    def restart(self, table: Table, own: int) -> None:
        """Take a table; what was known of peers is forgotten."""
        self.table, self.own = table, own
        self.peers.clear()

    def best_peer(self, now: float) -> int | None:
        """Return the least busy peer that takes guests and would do better than this node."""
        open_peers = [
            (peer.figures.load, number)
            for number, peer in self.peers.items()
            if self.is_up(number, now) and not peer.flags & (FLAGS["block"] | FLAGS["quiet"])
        ]
        load, number = min(open_peers, default=(0, 0))
        return number if number and load + GAIN <= self.figures.load else None

    def restless(self) -> Process | None:
        """Return a process that would leave by itself."""
        if self.flags & {"stay", "lstay", "quiet"}:
            return None
        here = (one for one in self.processes.values() if one.where == 0 and one.is_movable)
        return next((one for one in here if not one.is_locked and one.busy_seconds >= BUSY_SECONDS), None)

    def count_load(self) -> int:
        """Return the load that the processes here make, guests included."""
        own = sum(one.where == 0 and one.busy_seconds > 0 for one in self.processes.values())
        return LOAD * (own + len(self.guests))
