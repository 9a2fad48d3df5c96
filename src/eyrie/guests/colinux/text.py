# SPDX-License-Identifier: GPL-3.0-or-later
"""What both formats can hold: printable ASCII."""

from __future__ import annotations

from eyrie.errors import EyrieError


def decoded(data: bytes, source: str) -> str:
    """Return a file's text.

    Bytes beyond ASCII mean what the desktop's own code page says, which nobody here knows.
    """
    for number, line in enumerate(data.split(b"\n"), 1):
        for byte in line:
            if byte == 9 or byte == 13 or 32 <= byte < 127:
                continue
            raise EyrieError(
                f"{source} line {number}",
                seen=f"byte 0x{byte:02x}",
                wanted="ASCII: the desktop reads other bytes by its own code page",
                next_step="give the connection an ASCII name (netsh interface set interface)",
            )
    return data.decode("ascii")


def strange(text: str) -> str:
    """Return the first character that no file can hold, or nothing."""
    return next((sign for sign in text if not " " <= sign <= "~"), "")


def number(value: str, thing: str, most: int = 99999) -> int:
    """Read a plain decimal number."""
    if not value.isascii() or not value.isdigit() or len(value) > 5 or int(value) > most:
        raise EyrieError(thing, seen=value, wanted=f"a number from 0 to {most}, digits only")
    return int(value)
