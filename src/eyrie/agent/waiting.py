# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits for sockets the same way everywhere: poll where there is one, select on Windows."""

from __future__ import annotations

import select
import socket
from typing import Iterable


def readable(filenos: Iterable[int], seconds: float) -> list[int]:
    """Return the descriptors that have something to say, after `seconds` at the latest.

    Everything is made anew each time: descriptors come and go, and a stale registration would wake for ever.
    """
    if not hasattr(select, "poll"):
        ready: list[int] = select.select(list(filenos), [], [], seconds)[0]
        return ready
    poller = select.poll()
    for fileno in filenos:
        poller.register(fileno, select.POLLIN)
    return [fileno for fileno, _event in poller.poll(seconds * 1000.0)]


def connect_result(link: socket.socket) -> int | None:
    """Return how a connection begun without waiting went (0: well), None while that is not known."""
    if hasattr(select, "poll"):
        poller = select.poll()
        poller.register(link, select.POLLOUT)
        settled = bool(poller.poll(0))
    else:  # Windows tells failures among the exceptional conditions only
        settled = any(select.select([], [link], [link], 0))
    return link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if settled else None
