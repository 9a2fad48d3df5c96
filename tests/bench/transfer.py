# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on a lab's hosts: `sink PORT` counts what comes, `source ADDRESS PORT SECONDS` tells bytes/s."""

import socket
import sys
import time


def sink(port: str) -> None:
    with socket.create_server(("", int(port)), backlog=1) as server:
        while True:
            connection, _peer = server.accept()
            with connection:
                count = 0
                while data := connection.recv(1 << 18):
                    count += len(data)
                connection.sendall(b"%d" % count)


def source(address: str, port: str, seconds: str) -> None:
    block = bytes(1 << 17)
    with socket.create_connection((address, int(port)), timeout=30) as connection:
        begin = time.monotonic()
        while time.monotonic() < begin + float(seconds):
            connection.sendall(block)
        connection.shutdown(socket.SHUT_WR)
        # Until the other end has counted it, it has not arrived.
        arrived = int(connection.recv(64))
        sys.stdout.write(f"{arrived / (time.monotonic() - begin):.0f}\n")


if __name__ == "__main__":
    {"sink": sink, "source": source}[sys.argv[1]](*sys.argv[2:])
