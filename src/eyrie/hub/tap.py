# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub's way into the master's own network: a tap device that was made for it beforehand.

Opening one that belongs to the hub's account takes no privilege; making it does, and is systemd's part.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.hub.frames import LONGEST

_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
FRAMES_A_TURN = 64  # then the guests get theirs


class Tap:
    """An open tap: whole frames in, whole frames out, never waiting."""

    def __init__(self, name: str) -> None:
        if not Path(f"/sys/class/net/{name}").exists():  # the kernel would try to make one
            raise EyrieError(
                f"tap {name}", seen="no such device", wanted="one that belongs to the hub's account",
                next_step="systemctl start eyrie-hub-tap",
            )  # fmt: skip
        self._file = _tun()
        try:
            fcntl.ioctl(
                self._file, _TUNSETIFF, struct.pack("16sH22x", name.encode("ascii"), _IFF_TAP | _IFF_NO_PI)
            )
        except OSError as error:
            os.close(self._file)
            raise EyrieError(
                f"tap {name}",
                seen=os.strerror(error.errno or 0),
                wanted="one that belongs to the hub's account and is not in use",
            ) from error

    def fileno(self) -> int:
        """Return the descriptor, readable when frames wait."""
        return self._file

    def read(self) -> list[bytes]:
        """Return frames that wait, a bounded number; raises OSError when the device is no more."""
        frames: list[bytes] = []
        with contextlib.suppress(BlockingIOError):
            while len(frames) < FRAMES_A_TURN:
                frames.append(os.read(self._file, LONGEST))
        return frames

    def write(self, frames: list[bytes]) -> int:
        """Hand frames to the master; return how many it did not take."""
        lost = 0
        for frame in frames:
            try:
                os.write(self._file, frame)
            except OSError:
                lost += 1
        return lost

    def close(self) -> None:
        """Give the device back."""
        os.close(self._file)


def _tun() -> int:
    """Return what systemd has opened for the hub, as on some systems root alone can; else open it."""
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and "tun" in names:
        file = 3 + names.index("tun")
        os.set_blocking(file, False)
        os.set_inheritable(file, False)
        return file
    return os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
