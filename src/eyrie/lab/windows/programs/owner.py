# SPDX-License-Identifier: GPL-3.0-or-later
"""The desktop's owner presses a key, which Windows (GetLastInputInfo) then knows of."""

from __future__ import annotations

from .win32 import dll

F15 = 0x7E  # on no keyboard of today, and no program does anything on it
KEY_UP = 2


def press_key() -> None:
    """Press and release F15."""
    user = dll("user32")
    user.keybd_event(F15, 0, 0, 0)
    user.keybd_event(F15, 0, KEY_UP, 0)
