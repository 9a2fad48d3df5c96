# SPDX-License-Identifier: GPL-3.0-or-later
"""What fake nodes say to one another: gossip by UDP, one TCP connection for each process that is away.

Ports are those of genuine nodes, so that a firewall in between matters; what is in the packets is not.
"""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import asdict, dataclass, field
from typing import Any

from eyrie.lab.fake_node.world import Figures, Peer, World

GOSSIP_PORT = 5428
MIGRATION_PORT = 4660
CONNECT_SECONDS = 0.5
# A table may hold 65,534 nodes; a lab has a handful, at the beginning of their ranges.
MOST_TOLD = 64


def gossip_socket(address: str) -> socket.socket:
    """Return the socket that tells and hears loads."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, GOSSIP_PORT))
    udp.setblocking(False)
    return udp


def tell(udp: socket.socket, world: World) -> None:
    """Tell every node of the table what this one is, and what number it is thought to have."""
    if not world.own:
        return
    for (number, address), _ in zip(world.table.nodes(), range(MOST_TOLD), strict=False):
        if number != world.own:
            words = {"me": world.own, "you": number, "flags": world.own_flags(), **asdict(world.figures)}
            with contextlib.suppress(OSError):  # no route, no neighbour: it is down then
                udp.sendto(json.dumps(words).encode(), (str(address), GOSSIP_PORT))


def hear(udp: socket.socket, world: World, now: float) -> None:
    """Take in what has come, word by word; what makes no sense is dropped, as a kernel would."""
    while True:
        try:
            data, (address, _) = udp.recvfrom(4096)
            words = json.loads(data)
            me, you, flags = (int(words.pop(name)) for name in ("me", "you", "flags"))
            world.hear(address, me, you, Peer(Figures(**words), flags, now))
        except BlockingIOError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue


def migration_socket(address: str) -> socket.socket:
    """Return the socket that takes processes of other nodes."""
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, MIGRATION_PORT))
    tcp.listen(64)
    tcp.setblocking(False)
    return tcp


@dataclass
class Channel:
    """The connection between a process's home and the node where it is: JSON, a line a message."""

    connection: socket.socket
    _rest: bytes = field(default=b"", repr=False)
    is_lost: bool = False

    @classmethod
    def open(cls, address: str, message: dict[str, Any], own: str) -> Channel | None:
        """Connect from home; None if nobody takes the process."""
        try:
            connection = socket.create_connection((address, MIGRATION_PORT), CONNECT_SECONDS, (own, 0))
        except OSError:
            return None
        connection.setblocking(False)
        channel = cls(connection)
        channel.send(message)
        return channel

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; a full buffer means that the other side is frozen, and it need not know."""
        try:
            self.connection.send(json.dumps(message).encode() + b"\n")
        except BlockingIOError:
            return
        except OSError:
            self.is_lost = True

    def messages(self) -> list[dict[str, Any]]:
        """Return whole messages that have come; the end of the connection marks the channel as lost."""
        try:
            data = self.connection.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        self.is_lost = self.is_lost or not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        found = []
        for line in lines:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return [message for message in found if isinstance(message, dict)]

    def close(self) -> None:
        """End the connection."""
        self.connection.close()
