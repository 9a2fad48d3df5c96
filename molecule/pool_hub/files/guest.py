# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for a guest: asks through the hub who has an address; prints who answers, or why nobody does."""

from __future__ import annotations

import socket
import ssl
import struct
import sys


def main(hub: str, mac: str, me: str, wanted: str, certificate: str) -> str:
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
        link.sendall(struct.pack("!I", len(question)) + question)
        link.settimeout(4)
        while True:
            frame = stream.read(struct.unpack("!I", stream.read(4))[0])
            if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\x00\x02":
                return f"{socket.inet_ntoa(frame[28:32])} answers"


if __name__ == "__main__":
    try:
        sys.stdout.write(main(*sys.argv[1:]) + "\n")
    except TimeoutError:
        sys.stdout.write("nobody answers\n")
    except OSError as error:
        sys.stdout.write(f"{getattr(error, 'reason', None) or error}\n")
