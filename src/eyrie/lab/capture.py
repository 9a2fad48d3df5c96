# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over a lab's wire, seen on the router's leg of a subnet and written as a capture file.

The format is that of libpcap: draft-ietf-opsawg-pcap, "PCAP Capture File Format".
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from eyrie.lab import namespaces
from eyrie.lab.model import Subnet, Topology
from eyrie.lab.network_plan import router_leg

ETH_P_ALL = 3
LINKTYPE_ETHERNET = 1
MAGIC_NANOSECONDS = 0xA1B23C4D
SNAP_LENGTH = 262144
POLL_SECONDS = 0.2
# Of one subnet under load; what the kernel must drop for want of room would be missing from the proof.
BUFFER_BYTES = 16 << 20


def capture(topology: Topology, subnet: Subnet, path: Path, seconds: float) -> int:
    """Write every frame of the router's leg to `path` for a while; return how many. Needs root."""
    begin = time.monotonic()
    with namespaces.inside(topology.router_namespace):
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    with wire, path.open("wb") as stream:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        wire.bind((router_leg(subnet), ETH_P_ALL))
        wire.settimeout(POLL_SECONDS)
        return record(wire, stream, lambda: time.monotonic() - begin >= seconds)


def record(wire: socket.socket, stream: BinaryIO, ended: Callable[[], bool]) -> int:
    """Write what a socket of whole frames hears, until it is asked to end."""
    stream.write(struct.pack("<IHHiIII", MAGIC_NANOSECONDS, 2, 4, 0, 0, SNAP_LENGTH, LINKTYPE_ETHERNET))
    count = 0
    while not ended():
        try:
            frame = wire.recv(SNAP_LENGTH)
        except TimeoutError:
            continue
        seconds, nanoseconds = divmod(time.time_ns(), 10**9)
        stream.write(struct.pack("<IIII", seconds, nanoseconds, len(frame), len(frame)) + frame)
        count += 1
    return count
