# SPDX-License-Identifier: GPL-3.0-or-later
"""Before a guest is started: would it be let in? A look that costs nothing beats a guest booted in vain."""

from __future__ import annotations

import errno
import os
import socket
import time
from pathlib import Path

from eyrie.agent.config import Config
from eyrie.agent.pool_token import token_problem
from eyrie.agent.storage import StateDir
from eyrie.agent.waiting import connect_result

CONNECT_SECONDS = 2.0
WSAEWOULDBLOCK = 10035  # what Windows says instead of EINPROGRESS


class Preflight:
    """Checks the image, the token, room for state and the pool's port, waiting for none of them."""

    def __init__(self) -> None:
        self._link: socket.socket | None = None
        self._until = 0.0
        self._where = ""
        self._answer: str | None = None

    def begin(self, config: Config, directory: StateDir, now: float) -> None:
        """Start the checks; `answer` tells how they went."""
        self.close()
        self._answer = local_problem(config, directory) or None
        if self._answer is None:
            self._connect(config, now)

    def _connect(self, config: Config, now: float) -> None:
        pool = config.pool
        self._where, self._until = f"{pool.master} port {pool.port}", now + CONNECT_SECONDS
        self._link = socket.socket(socket.AF_INET6 if ":" in pool.master else socket.AF_INET)
        self._link.setblocking(False)
        result = self._link.connect_ex((pool.master, pool.port))
        if result not in (0, errno.EINPROGRESS, WSAEWOULDBLOCK):
            self._finish(_words(result))

    def answer(self, now: float) -> str | None:
        """Return None while it is not known, empty when the pool can be joined, else why not."""
        if self._link is None:
            return self._answer
        result = connect_result(self._link)
        if result is not None:
            self._finish(_words(result) if result else "")
        elif now >= self._until:
            self._finish(f"no answer within {CONNECT_SECONDS:g} s")
        return self._answer

    def _finish(self, trouble: str) -> None:
        self.close()
        self._answer = f"the pool's master cannot be reached at {self._where} ({trouble})" if trouble else ""

    def close(self) -> None:
        """Give up a check under way."""
        if self._link is not None:
            self._link.close()
            self._link = None


def _words(number: int) -> str:
    """Return the system's words for an error; Windows keeps those of sockets elsewhere."""
    windows: dict[int, str] | None = getattr(socket, "errorTab", None)
    return (windows or {}).get(number, "").rstrip(".") or os.strerror(number)


def local_problem(config: Config, directory: StateDir) -> str:
    """Return what on this desktop itself keeps it from joining."""
    if not directory.probe():
        return directory.problem
    if config.guest.colinux:  # no engine runs in its guest, which has no use for a token
        image = config.guest.image
        there = Path(image).is_file()
        return "" if there else f"there is no guest's image {image}; run site.yml (role colinux)"
    if not Path(config.guest.image).is_dir():
        return f"there is no guest image at {config.guest.image}; run site.yml to install it"
    return token_problem(Path(config.guest.token), time.time())
