# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyboards, mice and touch devices, heard at the moment they are used; which key it was is not looked at."""
# ruff: noqa: PTH116, PTH119, PTH208 - polled twice a second: plain strings cost a third of path objects

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path
from typing import Iterable

from eyrie.agent.idle.base import Kind, Reading

EVENT = struct.Struct("@llHHi")  # struct input_event: time, type, code, value
EV_KEY, EV_REL, EV_ABS = 1, 2, 3
BTN_TOOL_PEN, BTN_TOOL_FINGER, BTN_TOUCH = 0x140, 0x145, 0x14A
PROP_ACCELEROMETER = 6


class InputDevices:
    """All event devices of people; those that come and go are noticed by the directory's change time."""

    name = "input_devices"
    person = True

    def __init__(self, now: float, dev: str = "/dev/input", sysfs: str = "/sys/class/input") -> None:
        self._dev = dev
        self._sysfs = Path(sysfs)
        self._changed = -1
        self._open: dict[str, tuple[int, frozenset[int]]] = {}
        self._active: set[int] = (
            set()
        )  # used since the last poll: not listened to, so a moving mouse costs nothing
        self._problem = ""
        self._rescan(now)
        self._last, self._where = now, "counted from the agent's start"

    def read(self, now: float) -> Reading:
        """Return the seconds since the last event of any device."""
        self._rescan(now)
        for path, (fileno, kinds) in list(self._open.items()):
            if fileno in self._active:
                self._active.discard(fileno)
                self._drain(path, fileno, kinds, now)
        if self._problem:
            return Reading(self.name, Kind.UNKNOWN, detail=self._problem)
        if not self._open:
            return Reading(self.name, Kind.ABSENT, detail="no keyboards, mice or touch devices")
        return Reading(self.name, Kind.IDLE, max(0.0, now - self._last), self._where)

    def filenos(self) -> Iterable[int]:
        """Return the devices that rested since the last poll."""
        return [fileno for fileno, _ in self._open.values() if fileno not in self._active]

    def ready(self, fileno: int, now: float) -> None:
        """Take in the events of one device."""
        for path, (number, kinds) in list(self._open.items()):
            if number == fileno:
                self._drain(path, number, kinds, now)

    def close(self) -> None:
        """Close every device."""
        for path in list(self._open):
            self._forget(path)

    def _forget(self, path: str) -> None:
        fileno, _ = self._open.pop(path)
        self._active.discard(fileno)
        os.close(fileno)

    def _drain(self, path: str, fileno: int, kinds: frozenset[int], now: float) -> None:
        try:
            data = os.read(fileno, EVENT.size * 256)
        except BlockingIOError:
            return
        except OSError as error:
            self._forget(path)
            if error.errno != errno.ENODEV:  # ENODEV: unplugged
                self._problem = f"{path} cannot be read ({error.strerror})"
            return
        if not data:
            self._forget(path)
            return
        whole = data[: len(data) - len(data) % EVENT.size]
        if any(kind in kinds for _, _, kind, _, _ in EVENT.iter_unpack(whole)):
            self._active.add(fileno)
            self._last = now
            self._where = f"used {path}"

    def _rescan(self, now: float) -> None:
        try:
            changed = os.stat(self._dev).st_mtime_ns
            if changed == self._changed:
                return
            names = {name for name in os.listdir(self._dev) if name.startswith("event")}
        except FileNotFoundError:
            names, changed = set(), -1
        self._changed, self._problem = changed, ""
        for path in list(self._open):
            if os.path.basename(path) not in names:
                self._forget(path)
        for name in sorted(names):
            self._add(name, now)

    def _add(self, name: str, now: float) -> None:
        path = f"{self._dev}/{name}"
        if path in self._open:
            return
        try:
            kinds = _kinds(self._sysfs / name / "device")
            if not kinds:
                return
            self._open[path] = (os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), kinds)
        except OSError as error:
            if error.errno not in (errno.ENODEV, errno.ENOENT):
                self._problem = f"{path} cannot be opened ({error.strerror})"
            self._changed = -1  # look again at the next poll: it may be half made
            return
        self._last, self._where = now, f"plugged in {path}"


def _kinds(device: Path) -> frozenset[int]:
    """Return the event types of a device that a person causes; none for sensors, switches and beepers."""
    offered = _bits(device / "capabilities" / "ev")
    if PROP_ACCELEROMETER in _bits(device / "properties"):
        return frozenset()
    kinds = offered & {EV_KEY, EV_REL}
    keys = _bits(device / "capabilities" / "key")
    if EV_ABS in offered and keys & {BTN_TOOL_PEN, BTN_TOOL_FINGER, BTN_TOUCH}:
        kinds |= {EV_ABS}  # a joystick's axes tremble with nobody there, a touch surface's do not
    return frozenset(kinds)


def _bits(path: Path) -> set[int]:
    """Return the bit numbers set in a sysfs bitmap: words in hex, the most significant first."""
    try:
        words = path.read_text().split()
    except FileNotFoundError:
        return set()
    size = struct.calcsize("@l") * 8
    return {
        index * size + bit
        for index, word in enumerate(reversed(words))
        for bit in range(size)
        if int(word, 16) >> bit & 1
    }
