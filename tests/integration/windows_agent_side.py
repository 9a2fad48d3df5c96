# SPDX-License-Identifier: GPL-3.0-or-later
"""What test_windows_agent.py does on the desktop's Windows side, in the agent's own Python and bundle.

    windows_agent_side.py BUNDLE key PIPE STATE   press a key; print the seconds until the agent is in STATE,
                                                  or, of the state `idleness`, until that has begun anew
    windows_agent_side.py BUNDLE press            press a key
    windows_agent_side.py BUNDLE reload           tell the service that its parameters changed
    windows_agent_side.py BUNDLE agent DATA PIPE  be the agent of a desktop whose guest only spins

In the last one QEMU, its job object and all done to it are real; the firewall is left out, for Wine has
none, and the guest's words ("the engine took me") are PLAYED.
"""

from __future__ import annotations

import ctypes
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[1])

from eyrie.guests.backend import Message

F15, KEY_UP = 0x7E, 2


def press() -> None:
    """Press a key that types nothing."""
    user = ctypes.WinDLL("user32")
    user.keybd_event(F15, 0, 0, 0)
    user.keybd_event(F15, 0, KEY_UP, 0)


def key(pipe: str, state: str) -> None:
    """Press a key and wait for what it does."""
    from eyrie.agent.windows.asking import ask

    pressed = time.monotonic()
    press()
    while not there(ask(Path(pipe), "status"), state):
        if time.monotonic() - pressed > 30:
            raise SystemExit("nobody noticed the key")
    sys.stdout.write(f"{time.monotonic() - pressed:.3f}\n")


def there(status: dict[str, Any], state: str) -> bool:
    return bool(status["idle_seconds"] < 3 if state == "idleness" else status["state"] == state)


def reload() -> None:
    """Do as converging does."""
    from eyrie.agent.converge.windows_service import WindowsService

    sys.stdout.write(WindowsService().reread())


def agent(data: Path, pipe: str) -> None:
    """Be the agent, with a pool that listens and a guest that joins at once."""
    from eyrie.agent.windows import start
    from eyrie.guests.windows import start as guest_start
    from eyrie.guests.windows.guest import WindowsQemuGuest

    master = socket.create_server(("127.0.0.1", 0))
    config = json.loads((data / "agent.json").read_text(encoding="utf-8"))
    config["pool"]["port"] = master.getsockname()[1]
    (data / "agent.json").write_text(json.dumps(config), encoding="utf-8")
    hear, greeted = WindowsQemuGuest.messages, set()

    def messages(guest: WindowsQemuGuest) -> list[Message]:
        first = [] if guest.pid in greeted else [Message("state", ("joined",))]
        greeted.add(guest.pid)
        return first + hear(guest)

    guest_start.fence = lambda _qemu, _spec: []
    WindowsQemuGuest.messages = messages
    start.run(start.wanted(data, pipe))


def main() -> None:
    """Do one thing."""
    what, *words = sys.argv[2:]
    if what == "key":
        key(*words)
    elif what == "press":
        press()
    elif what == "reload":
        reload()
    else:
        agent(Path(words[0]), words[1])


main()
