# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect, and hand the connection to ssh (ProxyUseFdpass); run as a script in the lab's namespace."""

import socket
import sys

if __name__ == "__main__":
    try:
        connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10)
    except OSError as error:
        sys.exit(f"{sys.argv[1]} port {sys.argv[2]}: {error}")
    connection.settimeout(None)
    socket.send_fds(socket.socket(fileno=1), [b"\0"], [connection.fileno()])
