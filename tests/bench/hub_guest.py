# SPDX-License-Identifier: GPL-3.0-or-later
"""One desktop of the hub's bench: a carrier, and this program in the place of its QEMU.

Reads orders from standard input and answers on standard output: `send COUNT`, `receive SECONDS`, `echo`,
`ping COUNT`.
"""

from __future__ import annotations

import resource
import socket
import sys
import threading
import time

from eyrie.hub.carrier import Carrier, HubLink
from eyrie.hub.frames import Splitter, join
from eyrie.hub.guard import parse_mac
from eyrie.hub.tls import Identity

LONG, SHORT = 1514, 98


def frame(source: str, target: str, size: int) -> bytes:
    """Return an IPv4 frame of a size."""
    head = parse_mac(target) + parse_mac(source) + b"\x08\x00\x45" + bytes(11)
    return head + bytes(size - len(head))


def cpu() -> float:
    """Return the processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(port: str, ca: str, pem: str, me: str, other: str) -> None:
    """Serve orders until there are no more."""
    near, far = socket.socketpair()
    for end in (near, far):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    carrier = Carrier(HubLink("127.0.0.1", int(port), Identity(ca, pem, pem)), far)
    carrier.start()
    while carrier.status().state != "up":
        time.sleep(0.01)
    answer("up")
    for line in sys.stdin:
        verb, _, number = line.strip().partition(" ")
        if verb == "send":
            send(near, frame(me, other, LONG), int(number))
        elif verb == "receive":
            receive(near, float(number))
        elif verb == "echo":
            threading.Thread(target=echo, args=(near, frame(me, other, SHORT)), daemon=True).start()
        else:
            ping(near, frame(me, other, SHORT), int(number))
    carrier.stop()


def send(qemu: socket.socket, one: bytes, count: int) -> None:
    """Send frames as fast as they go; answer with seconds and processor time."""
    block, began, used = join([one] * 40), time.monotonic(), cpu()
    for _ in range(count // 40):
        qemu.sendall(block)
    answer(f"{time.monotonic() - began} {cpu() - used}")


def receive(qemu: socket.socket, seconds: float) -> None:
    """Count bytes until nothing comes for a while; answer with bytes, seconds and processor time."""
    qemu.settimeout(seconds)
    total, began, ended, used = 0, 0.0, 0.0, cpu()
    try:
        while True:
            total += len(qemu.recv(1 << 18))
            ended = time.monotonic()
            began = began or ended
    except TimeoutError:
        answer(f"{total} {ended - began} {cpu() - used}")
    qemu.settimeout(None)


def echo(qemu: socket.socket, one: bytes) -> None:
    """Answer every frame with one."""
    splitter, back = Splitter(), join([one])
    while data := qemu.recv(65536):
        qemu.sendall(back * len(splitter.feed(data)))


def ping(qemu: socket.socket, one: bytes, count: int) -> None:
    """Send a frame and wait for one, again and again; answer with the milliseconds of each."""
    splitter, times = Splitter(), []
    for _ in range(count):
        began = time.monotonic()
        qemu.sendall(join([one]))
        while not splitter.feed(qemu.recv(65536)):
            pass
        times.append((time.monotonic() - began) * 1000)
    answer(" ".join(f"{each:.3f}" for each in times))


def answer(text: str) -> None:
    """Tell whoever started this."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
