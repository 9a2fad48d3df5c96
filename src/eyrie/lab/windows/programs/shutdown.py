# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for shutdown: /s, /r and /a with /t SECONDS; the lab's broker then ends Windows in order."""

from __future__ import annotations

import sys
import time

from .stand_in import FOLDER, introduce, write

REQUEST = "power"
DEFAULT_SECONDS = 30
NOT_IN_PROGRESS = 1116
WITH_VALUE = ("/t", "/c", "/d", "/m")


def main(argv: list[str]) -> int:
    """Leave a request, or take it back."""
    if introduce("shutdown", "powers the lab's desktop off (/s) or boots it again (/r)", argv):
        return 0
    given = [word.lower().replace("-", "/", 1) if word.startswith("-") else word.lower() for word in argv]
    action, seconds, words = "", DEFAULT_SECONDS, iter(given)
    for word in words:
        if word in ("/s", "/r", "/a", "/p"):
            action = word
        elif word in WITH_VALUE:
            value = next(words, "")
            if word == "/t":
                if not value.isdigit():
                    return _refuse(f"Invalid time {value!r}.")
                seconds = int(value)
        elif word not in ("/f", "/hybrid"):
            return _refuse(f"{word} is not known to this stand-in.")
    request = FOLDER / REQUEST
    if action == "/a":
        if not request.exists():
            sys.stderr.write(
                "Unable to abort the system shutdown because no shutdown was in progress.(1116)\n"
            )
            return NOT_IN_PROGRESS
        request.unlink()
        return 0
    if not action:
        return _refuse("neither /s nor /r nor /a.")
    if request.exists():
        sys.stderr.write("A system shutdown has already been scheduled.(1190)\n")
        return 1190
    delay = 0 if action == "/p" else seconds
    write(REQUEST, f"{'reboot' if action == '/r' else 'off'} {time.time() + delay}\n")
    return 0


def _refuse(text: str) -> int:
    sys.stderr.write(f"shutdown (a stand-in of Eyrie's lab): {text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
