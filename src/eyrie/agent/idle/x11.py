# SPDX-License-Identifier: GPL-3.0-or-later
"""Input on every local X display, asked of the X servers themselves.

A general X library waits without limit for an answer; a stopped X server would then hold up the one loop that
must see the owner's next key. So this source speaks the four messages itself and waits for none of them long.
"""
# ruff: noqa: PTH116, PTH208 - polled twice a second: plain strings cost a third of path objects

from __future__ import annotations

import os
import re
import socket
import struct
from dataclasses import dataclass

from eyrie.agent.idle import x11_wire as wire
from eyrie.agent.idle.base import Kind, Quiet, Reading
from eyrie.agent.idle.x11_auth import cookies

SETUP_WAIT = 0.2  # seconds, once per connection
REPLY_WAIT = 0.02  # seconds; a later answer is read at the next poll
SILENCE = 2.0  # an X server that says nothing for so long is not known to be idle
RETRY = 10.0
PEER = struct.Struct("3i")


@dataclass
class _Display:
    """One X server and what it last said."""

    number: int
    mark: tuple[int, int]  # inode and change time of the socket: another server is another display
    link: socket.socket | None = None
    opcode: int = 0
    root: int = 0
    buffer: bytes = b""
    asked: float = 0.0
    waiting: bool = False
    idle: float = 0.0
    told: float = 0.0
    problem: str = ""
    retry_at: float = 0.0
    gone: bool = False


class X11(Quiet):
    """The least idle of all local X displays."""

    name = "x11"
    person = True

    def __init__(self, directory: str = "/tmp/.X11-unix") -> None:  # noqa: S108 - where X servers listen
        self._directory = directory
        self._displays: dict[int, _Display] = {}

    def read(self, now: float) -> Reading:
        """Return the seconds since the last input on any display."""
        try:
            self._find(now)
        except OSError as error:
            return Reading(self.name, Kind.UNKNOWN, detail=f"{self._directory} cannot be read ({error})")
        least: Reading | None = None
        for display in self._displays.values():
            reading = self._ask(display, now)
            if reading is None:
                continue
            if reading.kind is Kind.UNKNOWN:
                return reading
            if least is None or reading.seconds < least.seconds:
                least = reading
        return least or Reading(self.name, Kind.ABSENT, detail="no X display")

    def measured(self) -> frozenset[str]:
        """Return the displays whose idle time is known, as `:0`."""
        return frozenset(
            f":{each.number}" for each in self._displays.values() if each.link and not each.problem
        )

    def close(self) -> None:
        """Disconnect from every display."""
        for display in self._displays.values():
            _drop(display)
        self._displays.clear()

    def _find(self, now: float) -> None:
        """Notice displays that came and went."""
        try:
            names = os.listdir(self._directory)
        except FileNotFoundError:
            names = []
        found = {}
        for name in names:
            match = re.fullmatch(r"X(\d{1,5})", name)
            if match:
                status = os.stat(f"{self._directory}/{name}")
                found[int(match[1])] = (status.st_ino, status.st_ctime_ns)
        for number, display in list(self._displays.items()):
            if found.get(number) != display.mark:
                _drop(self._displays.pop(number))
        for number, mark in found.items():
            self._displays.setdefault(number, _Display(number, mark, retry_at=now))

    def _ask(self, display: _Display, now: float) -> Reading | None:
        """Return one display's reading; None for the socket of an X server that no longer runs."""
        if display.link is None:
            if now < display.retry_at:
                return self._say(display, now)
            self._connect(display, now)
        if display.link is not None:
            try:
                _exchange(display, now)
            except (OSError, wire.ProtocolError) as error:
                self._lose(display, str(error), now)
        return self._say(display, now)

    def _say(self, display: _Display, now: float) -> Reading | None:
        if display.gone:
            return None
        if not display.problem and display.waiting and now - display.asked > SILENCE:
            return Reading(
                self.name, Kind.UNKNOWN, detail=f"the X server of :{display.number} does not answer"
            )
        if display.problem or not display.told:
            detail = f"display :{display.number} tells nothing ({display.problem or 'not asked yet'})"
            return Reading(self.name, Kind.UNKNOWN, detail=detail)
        seconds = display.idle + max(0.0, now - display.told)
        return Reading(self.name, Kind.IDLE, seconds, f"input on display :{display.number}")

    def _connect(self, display: _Display, now: float) -> None:
        display.problem, display.gone = "", False
        try:
            tried = [*cookies(display.number, _server(self._path(display))), b""]
            for cookie in tried[:8]:
                try:
                    _open(display, self._path(display), cookie)
                    return
                except wire.ProtocolError as error:
                    display.problem = str(error)
            self._lose(display, display.problem, now)
        except ConnectionRefusedError:
            self._lose(display, "", now)
            display.gone = True
        except OSError as error:
            self._lose(display, str(error), now)

    def _path(self, display: _Display) -> str:
        return f"{self._directory}/X{display.number}"

    def _lose(self, display: _Display, problem: str, now: float) -> None:
        _drop(display)
        display.problem, display.retry_at = problem, now + RETRY


def _drop(display: _Display) -> None:
    if display.link is not None:
        display.link.close()
    display.link, display.buffer, display.waiting, display.told = None, b"", False, 0.0


def _server(path: str) -> int:
    """Return the process that listens on an X socket."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(SETUP_WAIT)
        link.connect(path)
        peer = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
    return int(PEER.unpack(peer)[0])


def _open(display: _Display, path: str, cookie: bytes) -> None:
    """Connect and learn the extension's number."""
    link = socket.socket(socket.AF_UNIX)
    try:
        link.settimeout(SETUP_WAIT)
        link.connect(path)
        link.sendall(wire.setup_request(cookie))
        head = _exactly(link, 8)
        display.root = wire.root_window(head + _exactly(link, wire.setup_length(head)))
        link.sendall(wire.query_extension())
        display.opcode = wire.extension_opcode(_exactly(link, wire.PACKET))
    except (OSError, wire.ProtocolError):
        link.close()
        raise
    display.link, display.problem = link, ""


def _exactly(link: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = link.recv(size - len(data))
        if not more:
            raise ConnectionResetError("the X server hung up")
        data += more
    return data


def _exchange(display: _Display, now: float) -> None:
    """Ask for the idle time unless a question is still open, and take in what has been answered."""
    link = display.link
    assert link is not None
    if not display.waiting:
        link.settimeout(REPLY_WAIT)
        link.sendall(wire.query_idle(display.opcode, display.root))
        display.waiting, display.asked = True, now
    try:
        more = link.recv(4096)
    except (BlockingIOError, socket.timeout):
        return
    if not more:
        raise ConnectionResetError("the X server hung up")
    display.buffer += more
    while len(display.buffer) >= wire.PACKET:
        packet, display.buffer = display.buffer[: wire.PACKET], display.buffer[wire.PACKET :]
        if packet[0] in (wire.ERROR, wire.REPLY):
            display.idle, display.told = wire.idle_milliseconds(packet) / 1000.0, now
            display.waiting = False
