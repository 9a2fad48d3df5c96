# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a lab's Windows desktops for clients on the machine itself: an HTTP proxy on its loopback.

The lab's addresses are routed nowhere. As ssh goes through the router's namespace by ProxyCommand, WinRM goes
through it by CONNECT: to the WinRM ports of the lab's desktops and nowhere else. Logging in there remains.
"""

from __future__ import annotations

import re
import selectors
import socket
import sys
import threading
from collections.abc import Collection
from pathlib import Path
from typing import cast

from eyrie.lab import namespaces
from eyrie.lab.paths import Paths

PROCESS = "winrm-proxy"
CONNECT_SECONDS = 10.0
_REQUEST = re.compile(rb"CONNECT ([0-9.]+:[0-9]+) HTTP/1\.[01]\r\n(?:[^\r\n]+\r\n)*\r\n")


def port_file(paths: Paths) -> Path:
    """Return the file that tells the proxy's port."""
    return paths.state / "winrm-proxy.port"


def command(paths: Paths, namespace: str, targets: Collection[str]) -> list[str]:
    """Return the command of the proxy."""
    module = "eyrie.lab.windows.way_in"
    return [sys.executable, "-m", module, namespace, str(port_file(paths)), *sorted(targets)]


def answers(paths: Paths) -> bool:
    """Whether it listens."""
    try:
        port = int(port_file(paths).read_text(encoding="ascii"))
        with socket.create_connection(("127.0.0.1", port), timeout=CONNECT_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def main(namespace: str, port_path: str, targets: Collection[str]) -> None:
    """Serve for ever."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    new = Path(f"{port_path}.new")
    new.write_text(str(listener.getsockname()[1]), encoding="ascii")
    new.rename(port_path)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, namespace, targets), daemon=True).start()


def serve(client: socket.socket, namespace: str, targets: Collection[str]) -> None:
    """Join one client to the desktop it asks for."""
    with client:
        target, rest = _read_request(client)
        if target not in targets:
            client.sendall(b"HTTP/1.1 403 Not a desktop of this lab\r\nContent-Length: 0\r\n\r\n")
            return
        address, _, port = target.partition(":")
        try:
            desktop = namespaces.connect(namespace, address, int(port), CONNECT_SECONDS)
        except OSError:
            client.sendall(b"HTTP/1.1 502 The desktop does not answer\r\nContent-Length: 0\r\n\r\n")
            return
        with desktop:
            desktop.settimeout(None)
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            desktop.sendall(rest)
            _join(client, desktop)


def _read_request(client: socket.socket) -> tuple[str, bytes]:
    text = b""
    client.settimeout(CONNECT_SECONDS)
    while b"\r\n\r\n" not in text and len(text) < 8192:
        try:
            part = client.recv(4096)
        except OSError:
            return "", b""
        if not part:
            return "", b""
        text += part
    client.settimeout(None)
    match = _REQUEST.match(text)
    return (match[1].decode(), text[match.end() :]) if match else ("", b"")


def _join(one: socket.socket, two: socket.socket) -> None:
    """Carry bytes both ways until either end is done."""
    other = {one: two, two: one}
    with selectors.DefaultSelector() as ready:
        for end in other:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(end, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                end = cast(socket.socket, key.fileobj)
                try:
                    data = end.recv(65536)
                    if not data:
                        return
                    other[end].sendall(data)
                except OSError:
                    return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], frozenset(sys.argv[3:]))
