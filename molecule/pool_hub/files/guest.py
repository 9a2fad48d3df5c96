# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for a guest: asks through the hub who has an address; prints who answers, or why nobody does.

With ports it knocks there too, and prints `PORT open` or `PORT refused`.
"""

from __future__ import annotations

import socket
import ssl
import struct
import sys


def checksum(data: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn(source: bytes, target: bytes, port: int) -> bytes:
    """An IPv4 packet that opens a TCP connection from port 40000 (RFC 791, RFC 9293)."""
    tcp = struct.pack("!HHIIBBHHH", 40000 + port % 1000, port, 1, 0, 5 << 4, 2, 1024, 0, 0)
    pseudo = source + target + struct.pack("!BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + source + target
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + tcp


def main(hub: str, mac: str, me: str, wanted: str, certificate: str, *ports: str) -> str:
    context = ssl.create_default_context(cafile="/etc/eyrie/hub-ca.pem")
    if certificate:
        context.load_cert_chain(certificate)
    source = bytes.fromhex(mac.replace(":", ""))
    question = b"\xff" * 6 + source + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
    question += source + socket.inet_aton(me) + bytes(6) + socket.inet_aton(wanted) + bytes(18)
    with (
        socket.create_connection((hub, 9620), 10) as plain,
        context.wrap_socket(plain, server_hostname=hub) as link,
    ):
        stream = link.makefile("rb")
        greeting = stream.readline().decode().strip()
        if not greeting.endswith(" welcome"):
            return greeting

        def send(frame: bytes) -> None:
            link.sendall(struct.pack("!I", len(frame)) + frame)

        def receive() -> bytes:
            return stream.read(struct.unpack("!I", stream.read(4))[0])

        send(question)
        link.settimeout(4)
        while True:
            frame = receive()
            if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\x00\x02":
                break
        said = [f"{socket.inet_ntoa(frame[28:32])} answers"]
        there = frame[22:28]
        for port in map(int, ports):
            send(there + source + b"\x08\x00" + syn(socket.inet_aton(me), socket.inet_aton(wanted), port))
            while True:
                frame = receive()
                # TCP without options of IPv4, from that port: SYN and ACK, or RST.
                if frame[12:14] == b"\x08\x00" and frame[23] == 6 and frame[34:36] == struct.pack("!H", port):
                    said.append(f"{port} {'open' if frame[47] & 0x12 == 0x12 else 'refused'}")
                    break
        return ", ".join(said)


if __name__ == "__main__":
    try:
        sys.stdout.write(main(*sys.argv[1:]) + "\n")
    except TimeoutError:
        sys.stdout.write("nobody answers\n")
    except OSError as error:
        sys.stdout.write(f"{getattr(error, 'reason', None) or error}\n")
